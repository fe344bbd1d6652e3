"""What every other part of Clary stands on: names, ids, time, settings and errors."""
