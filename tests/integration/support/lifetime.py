"""What a `with` does for servers, clients and listeners of the tests."""


class Closed:
    """close() at the end of the block."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Started(Closed):
    """start() at its beginning as well; what did not start is closed at once."""

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise
