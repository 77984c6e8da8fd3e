// meson wants something to whole-link, twice here; the library itself is the distribution's and is linked as a dependency.
typedef int nothing;
