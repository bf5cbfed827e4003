"""Extremes of quantities over everything but the replication."""

import numpy as np

from catallax.lab.quantity import Quantity, largest, smallest


def test_extremes_are_taken_within_each_replication():
    values = np.arange(24.0).reshape(4, 3, 2)
    wide, narrow = Quantity(lambda results: values), Quantity(lambda results: np.array([9.0, -1.0, 50.0, 0.0]))
    np.testing.assert_array_equal(largest(wide)(None), values.max(axis=(1, 2)))
    np.testing.assert_array_equal(smallest(wide)(None), values.min(axis=(1, 2)))
    np.testing.assert_array_equal(largest(wide, narrow)(None), [9, 11, 50, 23])
    np.testing.assert_array_equal(smallest(wide, narrow)(None), [0, -1, 12, 0])


def test_an_undefined_value_makes_an_extreme_undefined():
    hole = Quantity(lambda results: np.array([[1.0, np.nan], [2.0, 3.0]]))
    np.testing.assert_array_equal(largest(hole)(None), [np.nan, 3])
    np.testing.assert_array_equal(smallest(hole)(None), [np.nan, 2])
