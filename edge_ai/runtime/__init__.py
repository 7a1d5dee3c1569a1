"""Models, mailboxes and the pipeline: what runs every frame."""
