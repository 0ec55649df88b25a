/* Wine's C runtime lacks C99's complex functions, which numpy and scipy import. Microsoft's complex double is a struct
   of two doubles that is returned in memory, exactly as gcc does here; its long double is a double. */
#include <complex.h>
typedef double _Complex D;
typedef float _Complex F;
#define ONE(n) D own_##n(D z) { return n(z); } F own_##n##f(F z) { return n##f(z); }
#define REAL(n) double own_##n(D z) { return n(z); } float own_##n##f(F z) { return n##f(z); }
REAL(cabs) REAL(carg) REAL(cimag) REAL(creal)
ONE(cacos) ONE(cacosh) ONE(casin) ONE(casinh) ONE(catan) ONE(catanh) ONE(ccos) ONE(ccosh) ONE(cexp) ONE(clog)
ONE(conj) ONE(cproj) ONE(csin) ONE(csinh) ONE(csqrt) ONE(ctan) ONE(ctanh)
D own_cpow(D a, D b) { return cpow(a, b); }
F own_cpowf(F a, F b) { return cpowf(a, b); }
