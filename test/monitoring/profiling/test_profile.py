from edge_ai.monitoring.profiling.profile import Profile, TraceRecording


def test_where_nothing_is_marked_it_says_so(tmp_path):
    recording, done = TraceRecording(), Profile("trace")
    recording.start()
    recording.stop()
    recording.write(tmp_path, "idle", 0.1, done)
    assert done.message.startswith("nothing was recorded")
    assert done.files[0].exists()


def test_stages_come_before_marked_functions(tmp_path):
    recording, done = TraceRecording(), Profile("trace")
    recording.start()
    recording._spans.journey(0, {"wait": 0.5, "infer": 0.018, "preprocess": 0.002})
    recording.stop()
    recording.write(tmp_path, "inference", 0.1, done)
    assert [one.name for one in done.bottlenecks] == ["infer", "preprocess"]
    assert done.message.startswith("1 frame in 0.0 s: infer 90%")
