from edge_ai.core.errors import CardError, EdgeAIError


def test_the_message_says_got_wanted_and_mend():
    error = CardError("model card 'a.yaml'", got="no decoder", wanted="one", mend="add it")
    assert str(error) == "model card 'a.yaml': got no decoder; wanted one. To mend: add it"
    assert isinstance(error, EdgeAIError)


def test_parts_may_be_left_out():
    assert str(EdgeAIError("no camera")) == "no camera"
    assert str(EdgeAIError("size", got=0)) == "size: got 0"
    assert str(EdgeAIError("no camera", mend="plug one in")) == "no camera. To mend: plug one in"
