"""Parameters of the camera."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator, model_validator

from edge_ai.core.params import Params, param


class CameraParams(Params):
    """Everything a camera can be told."""

    source: str = param(
        "0",
        "What the frames come from: a V4L2 number or device ('0', '/dev/video2'), an rtsp:// or http:// URL, a video "
        "file, a folder of pictures, a rosbag2 (its folder or a .mcap or .db3 file, '?topic=/name' behind it if it has "
        "several cameras), 'csi://0' (Jetson), a GStreamer pipeline ('gst: videotestsrc', or any text with ' ! ' in "
        "it) or 'synthetic://1280x720@30'.",
    )
    frame_id: str = param(
        "camera_optical_frame",
        "Optical frame of the camera for every header (REP 103: x right, y down, z forward).",
    )
    width: int = param(0, "Image width to ask the camera for; 0 takes what it gives.", unit="px", ge=0, le=16384)
    height: int = param(0, "Image height to ask the camera for; 0 takes what it gives.", unit="px", ge=0, le=16384)
    fps: float = param(
        0.0,
        "Frame rate to ask the camera for; 0 takes what it gives (a folder then plays at 10 Hz, synthetic at 30 Hz).",
        unit="Hz",
        ge=0.0,
        le=1000.0,
    )
    fourcc: str = param(
        "",
        "Pixel format to ask a V4L2 camera for, four letters such as 'MJPG' or 'YUYV'; empty takes what it gives.",
    )
    max_rate: float = param(
        0.0,
        "Most frames a second to hand on, the rest are dropped and counted; 0 hands on all.",
        unit="Hz",
        ge=0.0,
        live=True,
    )
    realtime: bool = param(
        True,
        "Files, bags, folders and synthetic play at their own pace; false plays them as fast as they are consumed.",
    )
    loop: bool = param(False, "Files, bags and folders start again at their end.")
    calibration: str = param(
        "", "Path of a ROS camera_calibration YAML for CameraInfo; empty publishes an uncalibrated CameraInfo."
    )
    rtsp_transport: Literal["tcp", "udp"] = param(
        "tcp", "How RTSP carries the video: tcp loses nothing, udp can be quicker on a clean network."
    )
    decode_threads: int = param(
        1, "Threads that decode a network stream; each beyond the first delays the picture by a frame.", ge=1, le=64
    )
    open_timeout: float = param(10.0, "Longest wait for a live source's first frame.", unit="s", ge=0.1, le=120.0)
    read_timeout: float = param(
        3.0, "Longest wait for a live source's next frame before it counts as lost.", unit="s", ge=0.1, le=60.0
    )
    reconnect_initial: float = param(0.5, "Pause before the first reconnection.", unit="s", ge=0.01, le=60.0)
    reconnect_factor: float = param(2.0, "Each further pause is this many times the last.", ge=1.0, le=10.0)
    reconnect_max: float = param(10.0, "Longest pause between reconnections.", unit="s", ge=0.01, le=600.0)
    jpeg_quality: int = param(80, "JPEG quality of the compressed topic.", ge=1, le=100, live=True)

    @field_validator("source")
    @classmethod
    def _some_source(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a source cannot be empty")
        return value

    @field_validator("fourcc")
    @classmethod
    def _four_letters(cls, value: str) -> str:
        if value and (len(value) != 4 or not value.isascii()):
            raise ValueError("a pixel format has four letters, as 'MJPG', or is empty")
        return value

    @model_validator(mode="after")
    def _pauses_grow(self) -> CameraParams:
        if self.reconnect_max < self.reconnect_initial:
            raise ValueError(
                f"reconnect_max: got {self.reconnect_max:g} s; wanted at least "
                f"reconnect_initial, {self.reconnect_initial:g} s"
            )
        return self
