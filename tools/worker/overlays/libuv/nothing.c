// meson wants something to whole-link; the library itself is the distribution's and is linked as a dependency.
typedef int nothing;
