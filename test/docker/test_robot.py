"""The robot in real containers from the shipped compose file; where `python tools/containers.py build` was run."""

import pytest


@pytest.fixture(scope="module")
def findings():
    from container_engine.engine import Engine, unfit
    from container_engine.robot import ContainerRobot
    from containers import OUT, ROBOT, SYNTHETIC, built

    if not (OUT / "data").is_dir():
        pytest.skip("needs the image of a PC: python tools/containers.py build")
    if reason := unfit():
        pytest.skip(reason)
    with Engine(OUT) as engine:
        if not built(engine):
            pytest.skip("needs an image of today's sources: python tools/containers.py build")
        from container_engine.checks import examine

        with ContainerRobot(engine, OUT / "config", ROBOT, SYNTHETIC) as robot:
            return examine(robot)


def test_it_works_and_may_little(findings):
    assert len(findings) >= 12
    assert not [finding for finding in findings if not finding.passed]
