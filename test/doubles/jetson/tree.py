"""Made-up file systems: the files of a Jetson and of a PC that the monitor reads, with the kernel's names and units."""

from __future__ import annotations

from pathlib import Path


def write(root: Path, files: dict[str, object]) -> Path:
    """Put files into a tree; a value that is no bytes becomes a line."""
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value if isinstance(value, bytes) else f"{value}\n".encode())
    return root


def orin_nano(root: Path) -> Path:
    """A Jetson Orin Nano with JetPack 6."""
    zones = ["cpu-thermal", "gpu-thermal", "cv0-thermal", "tj-thermal"]
    cooling = ["pwm-fan", "cpu-throttle-alert", "hot-surface-alert", "cpufreq-cpu0", "devfreq-17000000.gpu"]
    write(
        root,
        {
            "proc/device-tree/model": b"NVIDIA Jetson Orin Nano Developer Kit\0",
            "proc/device-tree/compatible": b"nvidia,p3768-0000+p3767-0005\0nvidia,p3767-0005\0nvidia,tegra234\0",
            "proc/meminfo": "MemTotal:        7802000 kB\nMemAvailable:    4000000 kB\nNvMapMemUsed:     512000 kB",
            "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic, EABI: aarch64",
            "var/lib/nvpmodel/status": "pmode:0000",
            "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=7W >",
            "sys/class/devfreq/17000000.gpu/cur_freq": 612000000,
            "sys/class/devfreq/17000000.gpu/device/load": 437,
            "sys/class/devfreq/15340000.vic/cur_freq": 115200000,
            "sys/class/devfreq/15340000.vic/device/load": 999,
            "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": 729600,
            "sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq": 1510400,
        },
    )
    for number, zone in enumerate(zones):
        write(root, {f"sys/class/thermal/thermal_zone{number}/type": zone})
        write(root, {f"sys/class/thermal/thermal_zone{number}/temp": (51700, 48500, -256000, 51700)[number]})
    for number, device in enumerate(cooling):
        write(root, {f"sys/class/thermal/cooling_device{number}/type": device})
        write(root, {f"sys/class/thermal/cooling_device{number}/cur_state": 3 if device == "pwm-fan" else 0})
    chip = "sys/class/hwmon/hwmon1"
    write(root, {f"{chip}/name": "ina3221", f"{chip}/in7_label": "sum of shunt voltages", f"{chip}/in7_input": 9})
    for number, (rail, volts, amperes) in enumerate(
        [("VDD_IN", 4960, 1150), ("VDD_CPU_GPU_CV", 4960, 300), ("NC", 4960, 8)], 1
    ):
        write(
            root,
            {
                f"{chip}/in{number}_label": rail,
                f"{chip}/in{number}_input": volts,
                f"{chip}/curr{number}_input": amperes,
                f"{chip}/in{number + 3}_input": 1200,
            },
        )
    over = "sys/class/hwmon/hwmon2"
    write(root, {f"{over}/name": "soctherm_oc", f"{over}/oc1_event_cnt": 0, f"{over}/oc3_event_cnt": 37})
    return write(root, {"sys/class/hwmon/hwmon0/name": "pwmfan", "sys/class/hwmon/hwmon0/pwm1": 51})


def nano(root: Path) -> Path:
    """A Jetson Nano with JetPack 4."""
    chip = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    return write(
        root,
        {
            "proc/device-tree/model": b"NVIDIA Jetson Nano Developer Kit\0",
            "proc/device-tree/compatible": b"nvidia,p3449-0000+p3448-0000\0nvidia,jetson-nano\0nvidia,tegra210\0",
            "proc/meminfo": "MemTotal:        4059332 kB\nMemAvailable:    3000000 kB",
            "etc/nv_tegra_release": "# R32 (release), REVISION: 7.4, GCID: 1, BOARD: t210ref, EABI: aarch64",
            "sys/devices/gpu.0/load": 250,
            "sys/class/devfreq/57000000.gpu/cur_freq": 76800000,
            "sys/class/thermal/thermal_zone0/type": "AO-therm",
            "sys/class/thermal/thermal_zone0/temp": 40500,
            "sys/class/thermal/thermal_zone1/type": "PMIC-Die",
            "sys/class/thermal/thermal_zone1/temp": 100000,
            "sys/class/thermal/thermal_zone2/type": "thermal-fan-est",
            "sys/class/thermal/thermal_zone2/temp": 33000,
            "sys/class/thermal/cooling_device0/type": "gpu-balanced",
            "sys/class/thermal/cooling_device0/cur_state": 1,
            f"{chip}/rail_name_0": "POM_5V_IN",
            f"{chip}/in_power0_input": 2345,
            f"{chip}/rail_name_1": "POM_5V_GPU",
            f"{chip}/in_power1_input": 120,
            "sys/devices/pwm-fan/cur_pwm": 255,
        },
    )


def pc(root: Path) -> Path:
    """A PC with an Intel processor, a disk with a thermometer and AMD's graphics."""
    return write(
        root,
        {
            "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp",
            "sys/class/thermal/thermal_zone0/temp": 61000,
            "sys/class/thermal/cooling_device0/type": "Processor",
            "sys/class/thermal/cooling_device0/cur_state": 0,
            "sys/class/thermal/cooling_device1/type": "intel_powerclamp",
            "sys/class/thermal/cooling_device1/cur_state": -1,
            "sys/class/hwmon/hwmon0/name": "nvme",
            "sys/class/hwmon/hwmon0/temp1_label": "Composite",
            "sys/class/hwmon/hwmon0/temp1_input": 45850,
            "sys/class/hwmon/hwmon1/name": "nct6775",
            "sys/class/hwmon/hwmon1/pwm1": 51,
            "sys/class/hwmon/hwmon1/pwm2": 102,
            "sys/class/drm/card0/device/gpu_busy_percent": 25,
            "sys/class/drm/card0/device/mem_info_vram_used": 1 << 30,
            "sys/class/drm/card0/device/mem_info_vram_total": 8 << 30,
            "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count": 5,
        },
    )
