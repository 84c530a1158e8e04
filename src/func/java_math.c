/* StrictMath's elementary functions. Java defines their results as those of fdlibm (Freely Distributable Math Library,
 * Sun Microsystems 1993: "Permission to use, copy, modify, and distribute this software is freely granted"), so its
 * coefficients, its ranges and its order of operations are part of the answer; the C library's own results differ in the
 * last place. Source of the definition: java.lang.StrictMath's documentation. */
#include "func/java_math.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- a double's halves ---- */

static uint64_t bits_of(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof(b));
    return b;
}

static double of_bits(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof(x));
    return x;
}

static int32_t high(double x) { return (int32_t)(bits_of(x) >> 32); }

static uint32_t low(double x) { return (uint32_t)bits_of(x); }

static double with_high(double x, int32_t h) { return of_bits((uint64_t)(uint32_t)h << 32 | low(x)); }

static double upper_half(double x) { return of_bits(bits_of(x) & UINT64_C(0xffffffff00000000)); }

/* x times 2 to the k by adding to its exponent. */
static double add_exponent(double x, int k) { return with_high(x, (int32_t)((uint32_t)high(x) + ((uint32_t)k << 20))); }

static const double LN2_HI = 6.93147180369123816490e-01, LN2_LO = 1.90821492927058770002e-10,
                    INV_LN2 = 1.44269504088896338700e+00, TWO54 = 0x1p54;

/* ---- exponentials ---- */

/* The argument less the nearest multiple k of ln 2, as a sum hi - lo. */
static int reduce(double x, int32_t ix, double *hi, double *lo)
{
    int k;
    if (ix < 0x3FF0A2B2) {
        k = x < 0 ? -1 : 1;
        *hi = x - k * LN2_HI;
        *lo = k * LN2_LO;
    } else {
        k = (int)(INV_LN2 * x + (x < 0 ? -0.5 : 0.5));
        *hi = x - k * LN2_HI;
        *lo = k * LN2_LO;
    }
    return k;
}

static double exp_remainder(double t)
{
    return t * (1.66666666666666019037e-01 +
                t * (-2.77777777770155933842e-03 +
                     t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
}

double java_exp(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double hi = 0, lo = 0;
    int k = 0;
    if (isnan(x))
        return x;
    if (x > 7.09782712893383973096e+02)
        return INFINITY;
    if (x < -7.45133219101941108420e+02)
        return 0;
    if (ix > 0x3fd62e42) {
        k = reduce(x, ix, &hi, &lo);
        x = hi - lo;
    } else if (ix < 0x3e300000) {
        return 1 + x;
    }
    double c = x - exp_remainder(x * x);
    if (k == 0)
        return 1 - (x * c / (c - 2) - x);
    double y = 1 - (lo - x * c / (2 - c) - hi);
    return k >= -1021 ? add_exponent(y, k) : add_exponent(y, k + 1000) * 0x1p-1000;
}

static double expm1_scaled(double x, double e, double c, double hxs, int k)
{
    e = x * (e - c) - c;
    e -= hxs;
    if (k == -1)
        return 0.5 * (x - e) - 0.5;
    if (k == 1)
        return x < -0.25 ? -2 * (e - (x + 0.5)) : 1 + 2 * (x - e);
    if (k <= -2 || k > 56)
        return add_exponent(1 - (e - x), k) - 1;
    if (k < 20)
        return add_exponent(with_high(1, 0x3ff00000 - (0x200000 >> k)) - (e - x), k);
    double y = x - (e + with_high(0, (0x3ff - k) << 20));
    y += 1;
    return add_exponent(y, k);
}

double java_expm1(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double hi, lo, c = 0;
    int k = 0;
    if (ix >= 0x4043687A) {
        if (isnan(x))
            return x;
        if (x < 0)
            return -1;
        if (x > 7.09782712893383973096e+02)
            return INFINITY;
    }
    if (ix > 0x3fd62e42) {
        k = reduce(x, ix, &hi, &lo);
        x = hi - lo;
        c = hi - x - lo;
    } else if (ix < 0x3c900000) {
        return x;
    }
    double hfx = 0.5 * x, hxs = x * hfx;
    double r1 = 1 + hxs * (-3.33333333333331316428e-02 +
                           hxs * (1.58730158725481460165e-03 +
                                  hxs * (-7.93650757867487942473e-05 +
                                         hxs * (4.00821782732936239552e-06 + hxs * -2.01099218183624371326e-07))));
    double t = 3 - r1 * hfx, e = hxs * ((r1 - t) / (6 - x * t));
    return k == 0 ? x - (x * e - hxs) : expm1_scaled(x, e, c, hxs, k);
}

/* ---- logarithms ---- */

static const double LG[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
                            1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01};

/* The exponent of a positive finite number; a subnormal one is scaled up to a normal one. */
static int exponent_of(double *x)
{
    int k = 0;
    if (high(*x) < 0x00100000) {
        k = -54;
        *x *= TWO54;
    }
    return k + (high(*x) >> 20) - 1023;
}

double java_log(double x)
{
    if (!(x > 0))
        return x == 0 ? -INFINITY : NAN;
    if (high(x) >= 0x7ff00000)
        return x;
    int k = exponent_of(&x);
    int32_t hx = high(x);
    hx &= 0xfffff;
    int32_t i = (hx + 0x95f64) & 0x100000;
    x = with_high(x, hx | (i ^ 0x3ff00000));
    k += i >> 20;
    double f = x - 1, dk = k;
    if ((0xfffff & (2 + hx)) < 3) {
        if (f == 0)
            return k == 0 ? 0 : dk * LN2_HI + dk * LN2_LO;
        double r = f * f * (0.5 - 0.33333333333333333 * f);
        return k == 0 ? f - r : dk * LN2_HI - (r - dk * LN2_LO - f);
    }
    double s = f / (2 + f), z = s * s, w = z * z;
    double t1 = w * (LG[1] + w * (LG[3] + w * LG[5]));
    double t2 = z * (LG[0] + w * (LG[2] + w * (LG[4] + w * LG[6])));
    double r = t2 + t1;
    if (((hx - 0x6147a) | (0x6b851 - hx)) > 0) {
        double half = 0.5 * f * f;
        return k == 0 ? f - (half - s * (half + r)) : dk * LN2_HI - (half - (s * (half + r) + dk * LN2_LO) - f);
    }
    return k == 0 ? f - s * (f - r) : dk * LN2_HI - (s * (f - r) - dk * LN2_LO - f);
}

double java_log10(double x)
{
    if (!(x > 0))
        return x == 0 ? -INFINITY : NAN;
    if (high(x) >= 0x7ff00000)
        return x;
    int k = exponent_of(&x);
    int32_t hx = high(x);
    int negative = k < 0;
    double y = k + negative;
    x = with_high(x, (hx & 0xfffff) | (0x3ff - negative) << 20);
    double z = y * 3.69423907715893078616e-13 + 4.34294481903251816668e-01 * java_log(x);
    return z + y * 3.01029995663611771306e-01;
}

double java_log1p(double x)
{
    int32_t hx = high(x), ax = hx & 0x7fffffff, hu = 1;
    double f = x, c = 0;
    int k = 1;
    if (isnan(x) || x == INFINITY)
        return x;
    if (x <= -1)
        return x == -1 ? -INFINITY : NAN;
    if (hx < 0x3FDA827A) {
        if (ax < 0x3e200000)
            return ax < 0x3c900000 ? x : x - x * x * 0.5;
        if (hx > 0 || hx <= (int32_t)0xbfd2bec3)
            k = 0;
    }
    if (k) {
        double u = hx < 0x43400000 ? 1 + x : x;
        hu = high(u);
        k = (hu >> 20) - 1023;
        if (hx < 0x43400000)
            c = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
        hu &= 0xfffff;
        if (hu < 0x6a09e) {
            u = with_high(u, hu | 0x3ff00000);
        } else {
            k++;
            u = with_high(u, hu | 0x3fe00000);
            hu = (0x00100000 - hu) >> 2;
        }
        f = u - 1;
    }
    double half = 0.5 * f * f, dk = k;
    if (hu == 0) {
        if (f == 0)
            return k == 0 ? 0 : dk * LN2_HI + (c + dk * LN2_LO);
        double r = half * (1 - 0.66666666666666666 * f);
        return k == 0 ? f - r : dk * LN2_HI - (r - (dk * LN2_LO + c) - f);
    }
    double s = f / (2 + f), z = s * s;
    double r = z * (LG[0] + z * (LG[1] + z * (LG[2] + z * (LG[3] + z * (LG[4] + z * (LG[5] + z * LG[6]))))));
    return k == 0 ? f - (half - s * (half + r)) : dk * LN2_HI - (half - (s * (half + r) + (dk * LN2_LO + c)) - f);
}

/* ---- hyperbolic functions, cube root ---- */

enum { LARGE = 0x40862E42 }; /* high word from which exp may overflow */

double java_sinh(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double a = fabs(x), h = x < 0 ? -0.5 : 0.5;
    if (!isfinite(x) || ix < 0x3e300000)
        return x;
    if (ix < 0x40360000) {
        double t = java_expm1(a);
        return ix < 0x3ff00000 ? h * (2 * t - t * t / (t + 1)) : h * (t + t / (t + 1));
    }
    if (ix < LARGE)
        return h * java_exp(a);
    double w = java_exp(0.5 * a);
    return h * w * w;
}

double java_cosh(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double a = fabs(x);
    if (!isfinite(x))
        return x * x;
    if (ix < 0x3fd62e43) {
        double t = java_expm1(a), w = 1 + t;
        return ix < 0x3c800000 ? w : 1 + t * t / (w + w);
    }
    if (ix < 0x40360000) {
        double t = java_exp(a);
        return 0.5 * t + 0.5 / t;
    }
    if (ix < LARGE)
        return 0.5 * java_exp(a);
    double w = java_exp(0.5 * a);
    return 0.5 * w * w;
}

double java_tanh(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double a = fabs(x), z = 1;
    if (isnan(x) || x == 0)
        return x;
    if (ix < 0x3c800000)
        return x * (1 + x);
    if (ix < 0x3ff00000) {
        double t = java_expm1(-2 * a);
        z = -t / (t + 2);
    } else if (ix < 0x40360000) {
        z = 1 - 2 / (java_expm1(2 * a) + 2);
    }
    return x < 0 ? -z : z;
}

double java_cbrt(double x)
{
    double a = fabs(x), t;
    if (!isfinite(x) || x == 0)
        return x;
    if (high(a) < 0x00100000) {
        t = TWO54 * a;
        t = with_high(t, high(t) / 3 + 696219795);
    } else {
        t = with_high(0, high(a) / 3 + 715094163);
    }
    double r = t * t / a, s = 5.42857142857142815906e-01 + r * t;
    t *= 3.57142857142857150787e-01 + 1.60714285714285720630e+00 / (s + 1.41428571428571436819e+00 + -7.05306122448979611050e-01 / s);
    t = with_high(upper_half(t), high(t) + 1);
    s = t * t;
    r = a / s;
    r = (r - t) / (t + t + r);
    t = t + t * r;
    return copysign(t, x);
}

double java_asinh(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double a = fabs(x), w;
    if (!isfinite(x) || ix < 0x3e300000)
        return x;
    if (ix > 0x41b00000)
        w = java_log(a) + 6.93147180559945286227e-01;
    else if (ix > 0x40000000)
        w = java_log(2 * a + 1 / (sqrt(x * x + 1) + a));
    else
        w = java_log1p(a + x * x / (1 + sqrt(1 + x * x)));
    return x > 0 ? w : -w;
}

double java_acosh(double x)
{
    if (!(x >= 1))
        return NAN;
    if (high(x) >= 0x41b00000)
        return isinf(x) ? x : java_log(x) + 6.93147180559945286227e-01;
    if (x > 2)
        return java_log(2 * x - 1 / (x + sqrt(x * x - 1)));
    double t = x - 1;
    return java_log1p(t + sqrt(2 * t + t * t));
}

/* The root of a2 + b2 where a is at least b, in two cases by how far they are apart. */
static double hypot_ordered(double a, double b)
{
    double w = a - b;
    if (w > b) {
        double t1 = upper_half(a), t2 = a - t1;
        return sqrt(t1 * t1 - (b * -b - t2 * (a + t1)));
    }
    double twice = a + a, y1 = upper_half(b), y2 = b - y1;
    double t1 = with_high(0, high(a) + 0x00100000), t2 = twice - t1;
    return sqrt(t1 * y1 - (w * -w - (t1 * y2 + t2 * b)));
}

double java_hypot(double x, double y)
{
    double a = fabs(x), b = fabs(y);
    if (isinf(a) || isinf(b))
        return INFINITY;
    if (isnan(a) || isnan(b))
        return NAN;
    if (high(b) > high(a)) {
        double swap = a;
        a = b;
        b = swap;
    }
    if (high(a) - high(b) > 0x3c00000)
        return a + b;
    if (b == 0)
        return a;
    int k = high(a) > 0x5f300000 ? 600 : high(b) < 0x20b00000 ? -600 : 0;
    return k ? scalbn(hypot_ordered(scalbn(a, -k), scalbn(b, -k)), k) : hypot_ordered(a, b);
}

/* ---- inverse trigonometric functions ---- */

static const double PIO2_HI = 1.57079632679489655800e+00, PIO2_LO = 6.12323399573676603587e-17,
                    PIO4_HI = 7.85398163397448278999e-01;

static double asin_ratio(double t)
{
    double p = t * (1.66666666666666657415e-01 +
                    t * (-3.25565818622400915405e-01 +
                         t * (2.01212532134862925881e-01 +
                              t * (-4.00555345006794114027e-02 + t * (7.91534994289814532176e-04 + t * 3.47933107596021167570e-05)))));
    double q = 1 + t * (-2.40339491173441421878e+00 +
                        t * (2.02094576023350569471e+00 + t * (-6.88283971605453293030e-01 + t * 7.70381505559019352791e-02)));
    return p / q;
}

double java_asin(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double a = fabs(x), t;
    if (!(a <= 1))
        return NAN;
    if (a == 1)
        return x * PIO2_HI + x * PIO2_LO;
    if (ix < 0x3fe00000)
        return ix < 0x3e400000 ? x : x + x * asin_ratio(x * x);
    t = (1 - a) * 0.5;
    double r = asin_ratio(t), s = sqrt(t);
    if (ix >= 0x3FEF3333) {
        t = PIO2_HI - (2 * (s + s * r) - PIO2_LO);
    } else {
        double w = upper_half(s), c = (t - w * w) / (s + w);
        double p = 2 * s * r - (PIO2_LO - 2 * c), q = PIO4_HI - 2 * w;
        t = PIO4_HI - (p - q);
    }
    return x > 0 ? t : -t;
}

double java_acos(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double a = fabs(x);
    if (!(a <= 1))
        return NAN;
    if (a == 1)
        return x > 0 ? 0 : M_PI + 2 * PIO2_LO;
    if (ix < 0x3fe00000)
        return ix <= 0x3c600000 ? PIO2_HI + PIO2_LO : PIO2_HI - (x - (PIO2_LO - x * asin_ratio(x * x)));
    if (x < 0) {
        double z = (1 + x) * 0.5, s = sqrt(z), w = asin_ratio(z) * s - PIO2_LO;
        return M_PI - 2 * (s + w);
    }
    double z = (1 - x) * 0.5, s = sqrt(z), df = upper_half(s), c = (z - df * df) / (s + df);
    double w = asin_ratio(z) * s + c;
    return 2 * (df + w);
}

static const double ATAN_HI[] = {4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01,
                                 1.57079632679489655800e+00};
static const double ATAN_LO[] = {2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17,
                                 6.12323399573676603587e-17};
static const double AT[] = {3.33333333333329318027e-01,  -1.99999999998764832476e-01, 1.42857142725034663711e-01,
                            -1.11111104054623557880e-01, 9.09088713343650656196e-02,  -7.69187620504482999495e-02,
                            6.66107313738753120669e-02,  -5.83357013379057348645e-02, 4.97687799461593236017e-02,
                            -3.65315727442169155270e-02, 1.62858201153657823623e-02};

double java_atan(double x)
{
    int32_t ix = high(x) & 0x7fffffff;
    double a = fabs(x);
    int id = -1;
    if (isnan(x))
        return x;
    if (ix >= 0x44100000)
        return x > 0 ? ATAN_HI[3] + ATAN_LO[3] : -ATAN_HI[3] - ATAN_LO[3];
    if (ix < 0x3e200000)
        return x;
    if (ix >= 0x3fdc0000) {
        id = ix < 0x3fe60000 ? 0 : ix < 0x3ff30000 ? 1 : ix < 0x40038000 ? 2 : 3;
        a = id == 0 ? (2 * a - 1) / (2 + a) : id == 1 ? (a - 1) / (a + 1) : id == 2 ? (a - 1.5) / (1 + 1.5 * a) : -1 / a;
    } else {
        a = x;
    }
    double z = a * a, w = z * z;
    double s1 = z * (AT[0] + w * (AT[2] + w * (AT[4] + w * (AT[6] + w * (AT[8] + w * AT[10])))));
    double s2 = w * (AT[1] + w * (AT[3] + w * (AT[5] + w * (AT[7] + w * AT[9]))));
    if (id < 0)
        return a - a * (s1 + s2);
    z = ATAN_HI[id] - (a * (s1 + s2) - ATAN_LO[id] - a);
    return x < 0 ? -z : z;
}

double java_atan2(double y, double x)
{
    const double pi_lo = 1.2246467991473531772e-16;
    bool left = signbit(x), below = signbit(y);
    double z;
    if (isnan(x) || isnan(y))
        return NAN;
    if (x == 1)
        return java_atan(y);
    if (y == 0)
        return left ? copysign(M_PI, y) : y;
    if (x == 0)
        return copysign(PIO2_HI, y);
    if (isinf(x) && isinf(y))
        return copysign(left ? 3 * PIO4_HI : PIO4_HI, y);
    if (isinf(x) || isinf(y))
        return copysign(isinf(y) ? PIO2_HI : left ? M_PI : 0, y);
    int k = ((high(y) & 0x7fffffff) - (high(x) & 0x7fffffff)) >> 20;
    if (k > 60)
        z = PIO2_HI + 0.5 * pi_lo;
    else
        z = left && k < -60 ? 0 : java_atan(fabs(y / x));
    if (!left)
        return below ? -z : z;
    return below ? z - pi_lo - M_PI : M_PI - (z - pi_lo);
}

/* ---- powers ---- */

/* 0: y is no integer, 1: odd, 2: even */
static int parity(double y)
{
    double a = fabs(y);
    if (a >= 0x1p53)
        return 2;
    if (a < 1 || a != floor(a))
        return 0;
    return fmod(a, 2) == 0 ? 2 : 1;
}

/* log2 of a (positive) as t1 + t2, t1 with its lower half zero. */
static void log2_in_two(double a, double *t1, double *t2)
{
    static const double BP[] = {1, 1.5}, DP_H[] = {0, 5.84962487220764160156e-01}, DP_L[] = {0, 1.35003920212974897128e-08};
    const double cp = 9.61796693925975554329e-01, cp_h = 9.61796700954437255859e-01, cp_l = -7.02846165095275826516e-09;
    int n = 0, k;
    int32_t ix = high(a);
    if (ix < 0x00100000) {
        a *= 0x1p53;
        n -= 53;
        ix = high(a);
    }
    n += (ix >> 20) - 0x3ff;
    int32_t j = ix & 0x000fffff;
    ix = j | 0x3ff00000;
    if (j <= 0x3988E) {
        k = 0;
    } else if (j < 0xBB67A) {
        k = 1;
    } else {
        k = 0;
        n++;
        ix -= 0x00100000;
    }
    a = with_high(a, ix);
    double u = a - BP[k], v = 1 / (a + BP[k]), ss = u * v, s_h = upper_half(ss);
    double t_h = with_high(0, ((ix >> 1) | 0x20000000) + 0x00080000 + (k << 18));
    double t_l = a - (t_h - BP[k]);
    double s_l = v * (u - s_h * t_h - s_h * t_l);
    double s2 = ss * ss;
    double r = s2 * s2 *
               (5.99999999999994648725e-01 +
                s2 * (4.28571428578550184252e-01 +
                      s2 * (3.33333329818377432918e-01 +
                            s2 * (2.72728123808534006489e-01 + s2 * (2.30660745775561754067e-01 + s2 * 2.06975017800338417784e-01)))));
    r += s_l * (s_h + ss);
    s2 = s_h * s_h;
    t_h = upper_half(3 + s2 + r);
    t_l = r - (t_h - 3 - s2);
    u = s_h * t_h;
    v = s_l * t_h + t_l * ss;
    double p_h = upper_half(u + v), p_l = v - (p_h - u);
    double z_h = cp_h * p_h, z_l = cp_l * p_h + p_l * cp + DP_L[k], t = n;
    *t1 = upper_half(z_h + z_l + DP_H[k] + t);
    *t2 = z_l - (*t1 - t - DP_H[k] - z_h);
}

/* The same near 1, where |a - 1| is at most 2 to the -20. */
static void log2_near_one(double a, double *t1, double *t2)
{
    const double inv_h = 1.44269502162933349609e+00, inv_l = 1.92596299112661746887e-08;
    double t = a - 1, w = t * t * (0.5 - t * (0.3333333333333333333333 - t * 0.25));
    double u = inv_h * t, v = t * inv_l - w * INV_LN2;
    *t1 = upper_half(u + v);
    *t2 = v - (*t1 - u);
}

/* 2 to the (p_h + p_l), which is z. */
static double two_to(double p_h, double p_l, double sign)
{
    const double lg2 = 6.93147180559945286227e-01, lg2_h = 6.93147182464599609375e-01, lg2_l = -1.90465429995776804525e-09;
    double z = p_l + p_h;
    int32_t j = high(z), i = j & 0x7fffffff, k = (i >> 20) - 0x3ff, n = 0;
    if (i > 0x3fe00000) {
        n = (int32_t)((uint32_t)j + (uint32_t)(0x00100000 >> (k + 1)));
        k = ((n & 0x7fffffff) >> 20) - 0x3ff;
        double t = with_high(0, n & ~(0x000fffff >> k));
        n = ((n & 0x000fffff) | 0x00100000) >> (20 - k);
        if (j < 0)
            n = -n;
        p_h -= t;
    }
    double t = upper_half(p_l + p_h), u = t * lg2_h, v = (p_l - (t - p_h)) * lg2 + t * lg2_l;
    z = u + v;
    double w = v - (z - u), t1 = z - exp_remainder(z * z);
    double r = z * t1 / (t1 - 2) - (w + z * w);
    z = 1 - (r - z);
    j = (int32_t)((uint32_t)high(z) + ((uint32_t)n << 20));
    return sign * ((j >> 20) <= 0 ? scalbn(z, n) : with_high(z, j));
}

/* |x| to the y for finite values that need computing. */
static double power(double a, double y, double sign)
{
    int32_t ix = high(a), iy = high(y) & 0x7fffffff;
    double t1, t2;
    if (iy > 0x41e00000) {
        if (iy > 0x43f00000 || ix < 0x3fefffff || ix > 0x3ff00000) {
            bool grows = (ix <= 0x3fefffff) == (y < 0);
            return sign * (grows ? INFINITY : 0);
        }
        log2_near_one(a, &t1, &t2);
    } else {
        log2_in_two(a, &t1, &t2);
    }
    double y1 = upper_half(y), p_l = (y - y1) * t1 + y * t2, p_h = y1 * t1, z = p_l + p_h;
    int32_t j = high(z);
    if (j >= 0x40900000) {
        if (z > 1024 || p_l + 8.0085662595372944372e-0017 > z - p_h)
            return sign * INFINITY;
    } else if ((j & 0x7fffffff) >= 0x4090cc00) {
        if (z < -1075 || p_l <= z - p_h)
            return sign * 0.0;
    }
    return two_to(p_h, p_l, sign);
}

double java_pow(double x, double y)
{
    double a = fabs(x);
    if (y == 0)
        return 1;
    if (isnan(x) || isnan(y) || (a == 1 && isinf(y)))
        return NAN;
    if (isinf(y))
        return (a > 1) == (y > 0) ? INFINITY : 0;
    if (y == 1)
        return x;
    if (y == -1)
        return 1 / x;
    if (y == 2)
        return x * x;
    if (y == 0.5 && x >= 0 && !signbit(x))
        return sqrt(x);
    int kind = x < 0 || signbit(x) ? parity(y) : 2;
    if (isinf(x) || x == 0 || a == 1) {
        double z = y < 0 ? 1 / a : a;
        if (!signbit(x))
            return z;
        return a == 1 && kind == 0 ? NAN : kind == 1 ? -z : z;
    }
    if (x < 0 && kind == 0)
        return NAN;
    return power(a, y, kind == 1 ? -1 : 1);
}
