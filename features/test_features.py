"""Makes every scenario in this folder a test."""

from pytest_bdd import scenarios

scenarios(".")
