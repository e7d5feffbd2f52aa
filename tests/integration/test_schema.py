"""config/vitald.schema.json: takes every example, and refuses what the daemon refuses."""

import json
import unittest

import jsonschema
import yaml

from support import repository

SCHEMA = json.loads((repository / "config" / "vitald.schema.json").read_text(encoding="utf-8"))


class Loader(yaml.SafeLoader):
    """YAML 1.2, as editors read it: 2027-01-15 is a text, and so is on."""


def _resolvers(first, known):
    """Of YAML 1.1 there are dates, and more words for true and false than those two."""
    return [each for each in known if each[0] != "tag:yaml.org,2002:timestamp"
            and (each[0] != "tag:yaml.org,2002:bool" or first in "tTfF")]


Loader.yaml_implicit_resolvers = {first: _resolvers(first, known)
                                  for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def mistakes(path):
    document = yaml.load(path.read_text(encoding="utf-8"), Loader)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(document)]


class SchemaTest(unittest.TestCase):
    def test_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_takes_every_example(self):
        examples = sorted((repository / "config" / "examples").rglob("*.yaml"))
        self.assertTrue(examples)
        for path in examples:
            with self.subTest(path.name):
                self.assertEqual(mistakes(path), [])

    def test_refuses_every_bad_file(self):
        bad = sorted((repository / "tests" / "config" / "bad").glob("*.yaml"))
        self.assertTrue(bad)
        for path in bad:
            with self.subTest(path.name):
                self.assertNotEqual(mistakes(path), [])


if __name__ == "__main__":
    unittest.main()
