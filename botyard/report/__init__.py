"""How a run is shown and kept: live, plain, JSON lines, JUnit, one HTML page; secrets hidden in all of them."""
