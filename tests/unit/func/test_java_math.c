/* StrictMath's answers bit by bit, as Spark 4.2 gave them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "func/java_math.h"
#include "func/random.h"

static const struct {
    double (*function)(double);
    double x, want;
} ONE[] = {
    {java_exp, 0x1.0000000000000p+0, 0x1.5bf0a8b14576ap+1},
    {java_exp, -0x1.6666666666666p-1, 0x1.fc80db9dd5542p-2},
    {java_exp, 0x1.7ae147ae147aep-2, 0x1.729ebc574421cp+0},
    {java_exp, 0x1.a666666666666p+1, 0x1.b1cd5e7807b7bp+4},
    {java_exp, -0x1.8800000000000p+3, 0x1.411fb0da07714p-18},
    {java_exp, 0x1.9066666666666p+6, 0x1.5508d07df81bbp+144},
    {java_exp, 0x1.12e0be826d695p-30, 0x1.000000044b830p+0},
    {java_exp, 0x0.05c0ab9347ed7p-1022, 0x1.0000000000000p+0},
    {java_exp, 0x1.62c0000000000p+9, 0x1.81e9b4b52d0c9p+1023},
    {java_expm1, 0x1.0000000000000p+0, 0x1.b7e151628aed2p+0},
    {java_expm1, -0x1.6666666666666p-1, -0x1.01bf92311555fp-1},
    {java_expm1, 0x1.7ae147ae147aep-2, 0x1.ca7af15d10872p-2},
    {java_expm1, 0x1.a666666666666p+1, 0x1.a1cd5e7807b7bp+4},
    {java_expm1, -0x1.8800000000000p+3, -0x1.ffff5f7027930p-1},
    {java_expm1, 0x1.9066666666666p+6, 0x1.5508d07df81bbp+144},
    {java_expm1, 0x1.12e0be826d695p-30, 0x1.12e0be84bbb51p-30},
    {java_expm1, 0x0.05c0ab9347ed7p-1022, 0x0.05c0ab9347ed7p-1022},
    {java_expm1, 0x1.62c0000000000p+9, 0x1.81e9b4b52d0c9p+1023},
    {java_log, 0x1.0000000000000p+0, 0x0.0p+0},
    {java_log, 0x1.7ae147ae147aep-2, -0x1.fd0ea24bf89b8p-1},
    {java_log, 0x1.a666666666666p+1, 0x1.31a4e7240c777p+0},
    {java_log, 0x1.9066666666666p+6, 0x1.26cb7bf0a4dd9p+2},
    {java_log, 0x1.12e0be826d695p-30, -0x1.4b927f32bffb8p+4},
    {java_log, 0x0.05c0ab9347ed7p-1022, -0x1.6418918519e41p+9},
    {java_log, 0x1.62c0000000000p+9, 0x1.a421c25960b33p+2},
    {java_log, 0x1.7e43c8800759cp+996, 0x1.5963447f87fb5p+9},
    {java_log10, 0x1.0000000000000p+0, 0x0.0p+0},
    {java_log10, 0x1.7ae147ae147aep-2, -0x1.ba2953c667e00p-2},
    {java_log10, 0x1.a666666666666p+1, 0x1.097aa8bc975dbp-1},
    {java_log10, 0x1.9066666666666p+6, 0x1.000e394e49eefp+1},
    {java_log10, 0x1.12e0be826d695p-30, -0x1.2000000000000p+3},
    {java_log10, 0x0.05c0ab9347ed7p-1022, -0x1.354d104d427dfp+8},
    {java_log10, 0x1.62c0000000000p+9, 0x1.6cec021bc86b2p+1},
    {java_log10, 0x1.7e43c8800759cp+996, 0x1.2c00000000000p+8},
    {java_log1p, 0x1.0000000000000p+0, 0x1.62e42fefa39efp-1},
    {java_log1p, -0x1.6666666666666p-1, -0x1.34378fcbda720p+0},
    {java_log1p, 0x1.7ae147ae147aep-2, 0x1.425dbf202b875p-2},
    {java_log1p, 0x1.a666666666666p+1, 0x1.7567cb4bf2df7p+0},
    {java_log1p, 0x1.9066666666666p+6, 0x1.276e592a8125ep+2},
    {java_log1p, 0x1.12e0be826d695p-30, 0x1.12e0be801f1d9p-30},
    {java_log1p, 0x0.05c0ab9347ed7p-1022, 0x0.05c0ab9347ed7p-1022},
    {java_log1p, 0x1.62c0000000000p+9, 0x1.a438d5d20e4fdp+2},
    {java_log1p, 0x1.7e43c8800759cp+996, 0x1.5963447f87fb5p+9},
    {java_sinh, 0x1.0000000000000p+0, 0x1.2cd9fc44eb982p+0},
    {java_sinh, -0x1.6666666666666p-1, -0x1.8465153d5bdbcp-1},
    {java_sinh, 0x1.7ae147ae147aep-2, 0x1.83958a8de893ap-2},
    {java_sinh, 0x1.a666666666666p+1, 0x1.b1364baa2b89cp+3},
    {java_sinh, -0x1.8800000000000p+3, -0x1.982aa4f986a51p+16},
    {java_sinh, 0x1.9066666666666p+6, 0x1.5508d07df81bbp+143},
    {java_sinh, 0x1.12e0be826d695p-30, 0x1.12e0be826d695p-30},
    {java_sinh, 0x0.05c0ab9347ed7p-1022, 0x0.05c0ab9347ed7p-1022},
    {java_sinh, 0x1.62c0000000000p+9, 0x1.81e9b4b52d0c9p+1022},
    {java_cosh, 0x1.0000000000000p+0, 0x1.8b07551d9f551p+0},
    {java_cosh, -0x1.6666666666666p-1, 0x1.4152c1862342fp+0},
    {java_cosh, 0x1.7ae147ae147aep-2, 0x1.11b959b3c9fcep+0},
    {java_cosh, 0x1.a666666666666p+1, 0x1.b2647145e3e5ap+3},
    {java_cosh, -0x1.8800000000000p+3, 0x1.982aa4f9d6ecfp+16},
    {java_cosh, 0x1.9066666666666p+6, 0x1.5508d07df81bbp+143},
    {java_cosh, 0x1.12e0be826d695p-30, 0x1.0000000000000p+0},
    {java_cosh, 0x0.05c0ab9347ed7p-1022, 0x1.0000000000000p+0},
    {java_cosh, 0x1.62c0000000000p+9, 0x1.81e9b4b52d0c9p+1022},
    {java_tanh, 0x1.0000000000000p+0, 0x1.85efab514f394p-1},
    {java_tanh, -0x1.6666666666666p-1, -0x1.356fb17af2e92p-1},
    {java_tanh, 0x1.7ae147ae147aep-2, 0x1.6a7ccdb093670p-2},
    {java_tanh, 0x1.a666666666666p+1, 0x1.fe9bdf44f7c03p-1},
    {java_tanh, -0x1.8800000000000p+3, -0x1.ffffffff9b4bep-1},
    {java_tanh, 0x1.9066666666666p+6, 0x1.0000000000000p+0},
    {java_tanh, 0x1.12e0be826d695p-30, 0x1.12e0be826d695p-30},
    {java_tanh, 0x0.05c0ab9347ed7p-1022, 0x0.05c0ab9347ed7p-1022},
    {java_tanh, 0x1.62c0000000000p+9, 0x1.0000000000000p+0},
    {java_tanh, 0x1.7e43c8800759cp+996, 0x1.0000000000000p+0},
    {java_cbrt, 0x1.0000000000000p+0, 0x1.0000000000000p+0},
    {java_cbrt, -0x1.6666666666666p-1, -0x1.c69b5a72f1a99p-1},
    {java_cbrt, 0x1.7ae147ae147aep-2, 0x1.6f914d1bab00cp-1},
    {java_cbrt, 0x1.a666666666666p+1, 0x1.7d225c580a35ep+0},
    {java_cbrt, -0x1.8800000000000p+3, -0x1.27116361abaeap+1},
    {java_cbrt, 0x1.9066666666666p+6, 0x1.292921dc5bf66p+2},
    {java_cbrt, 0x1.12e0be826d695p-30, 0x1.0624dd2f1a9fcp-10},
    {java_cbrt, 0x0.05c0ab9347ed7p-1022, 0x1.6c11f962b159ep-343},
    {java_cbrt, 0x1.62c0000000000p+9, 0x1.1d68aacae304ap+3},
    {java_cbrt, 0x1.7e43c8800759cp+996, 0x1.249ad2594c37dp+332},
    {java_asin, 0x1.0000000000000p+0, 0x1.921fb54442d18p+0},
    {java_asin, -0x1.6666666666666p-1, -0x1.8d00e692afd95p-1},
    {java_asin, 0x1.7ae147ae147aep-2, 0x1.841af0d31cc53p-2},
    {java_asin, 0x1.12e0be826d695p-30, 0x1.12e0be826d695p-30},
    {java_asin, 0x0.05c0ab9347ed7p-1022, 0x0.05c0ab9347ed7p-1022},
    {java_acos, 0x1.0000000000000p+0, 0x0.0p+0},
    {java_acos, -0x1.6666666666666p-1, 0x1.2c501446cd5f2p+1},
    {java_acos, 0x1.7ae147ae147aep-2, 0x1.3118f90f7ba04p+0},
    {java_acos, 0x1.12e0be826d695p-30, 0x1.921fb53ff74e9p+0},
    {java_acos, 0x0.05c0ab9347ed7p-1022, 0x1.921fb54442d18p+0},
    {java_atan, 0x1.0000000000000p+0, 0x1.921fb54442d18p-1},
    {java_atan, -0x1.6666666666666p-1, -0x1.38b112d7bd4adp-1},
    {java_atan, 0x1.7ae147ae147aep-2, 0x1.6ae291cbfa274p-2},
    {java_atan, 0x1.a666666666666p+1, 0x1.46ccc069c173fp+0},
    {java_atan, -0x1.8800000000000p+3, -0x1.7d45aab9c6633p+0},
    {java_atan, 0x1.9066666666666p+6, 0x1.8f91064959e28p+0},
    {java_atan, 0x1.12e0be826d695p-30, 0x1.12e0be826d695p-30},
    {java_atan, 0x0.05c0ab9347ed7p-1022, 0x0.05c0ab9347ed7p-1022},
    {java_atan, 0x1.62c0000000000p+9, 0x1.91c356bf85098p+0},
    {java_atan, 0x1.7e43c8800759cp+996, 0x1.921fb54442d18p+0},
    {java_asinh, 0x1.0000000000000p+0, 0x1.c34366179d427p-1},
    {java_asinh, -0x1.6666666666666p-1, -0x1.4e2a4fe9085ddp-1},
    {java_asinh, 0x1.7ae147ae147aep-2, 0x1.72ba62266902dp-2},
    {java_asinh, 0x1.a666666666666p+1, 0x1.e8c62e894d850p+0},
    {java_asinh, -0x1.8800000000000p+3, -0x1.99a4934c858f3p+1},
    {java_asinh, 0x1.9066666666666p+6, 0x1.53286a9389078p+2},
    {java_asinh, 0x1.12e0be826d695p-30, 0x1.12e0be826d695p-30},
    {java_asinh, 0x0.05c0ab9347ed7p-1022, 0x0.05c0ab9347ed7p-1022},
    {java_asinh, 0x1.62c0000000000p+9, 0x1.d07e4a6c96603p+2},
    {java_asinh, 0x1.7e43c8800759cp+996, 0x1.59bbfd8b83e43p+9},
    {java_acosh, 0x1.0000000000000p+0, 0x0.0p+0},
    {java_acosh, 0x1.a666666666666p+1, 0x1.dcffe02484233p+0},
    {java_acosh, 0x1.9066666666666p+6, 0x1.53279947a8448p+2},
    {java_acosh, 0x1.62c0000000000p+9, 0x1.d07e464213b9ep+2},
    {java_acosh, 0x1.7e43c8800759cp+996, 0x1.59bbfd8b83e43p+9},
};

static const struct {
    double (*function)(double, double);
    double x, y, want;
} TWO[] = {
    {java_pow, 0x1.4000000000000p+1, 0x1.d99999999999ap+1, 0x1.dac93f32d18ddp+4},
    {java_pow, -0x1.0000000000000p+1, 0x1.8000000000000p+1, -0x1.0000000000000p+3},
    {java_pow, 0x1.000001ad7f29bp+0, 0x1.81ccccccccccdp+13, 0x1.0050f544f8e3dp+0},
    {java_pow, 0x1.7ae147ae147aep-2, -0x1.199999999999ap+1, 0x1.1d2bea3c836d9p+3},
    {java_pow, 0x1.87e92154ef7acp-665, 0x1.4cccccccccccdp+0, 0x1.3ae3591f5b468p-864},
    {java_pow, 0x1.4000000000000p+3, -0x1.4000000000000p+8, 0x0.00000000007e8p-1022},
    {java_pow, 0x1.c000000000000p+2, 0x1.999999999999ap-4, 0x1.36fe0d9dde8a3p+0},
    {java_atan2, 0x1.4000000000000p+1, 0x1.d99999999999ap+1, 0x1.303cc75150d78p-1},
    {java_atan2, -0x1.0000000000000p+1, 0x1.8000000000000p+1, -0x1.2d0ead6066395p-1},
    {java_atan2, 0x1.000001ad7f29bp+0, 0x1.81ccccccccccdp+13, 0x1.53bda7234e4c8p-14},
    {java_atan2, 0x1.7ae147ae147aep-2, -0x1.199999999999ap+1, 0x1.7ccbd24c68a8ep+1},
    {java_atan2, 0x1.87e92154ef7acp-665, 0x1.4cccccccccccdp+0, 0x1.2d784106420fap-665},
    {java_atan2, 0x1.4000000000000p+3, -0x1.4000000000000p+8, 0x1.8e200a8ccda2cp+1},
    {java_atan2, -0x1.8000000000000p+0, 0x1.3333333333333p-2, -0x1.5f97315254857p+0},
    {java_atan2, 0x1.c000000000000p+2, 0x1.999999999999ap-4, 0x1.8e778b0e04305p+0},
    {java_hypot, 0x1.4000000000000p+1, 0x1.d99999999999ap+1, 0x1.1dc97c5817da5p+2},
    {java_hypot, -0x1.0000000000000p+1, 0x1.8000000000000p+1, 0x1.cd82b446159f3p+1},
    {java_hypot, 0x1.000001ad7f29bp+0, 0x1.81ccccccccccdp+13, 0x1.81cccce208a77p+13},
    {java_hypot, 0x1.7ae147ae147aep-2, -0x1.199999999999ap+1, 0x1.1d8e05be33683p+1},
    {java_hypot, 0x1.87e92154ef7acp-665, 0x1.4cccccccccccdp+0, 0x1.4cccccccccccdp+0},
    {java_hypot, 0x1.4000000000000p+3, -0x1.4000000000000p+8, 0x1.4027fd804ff38p+8},
    {java_hypot, -0x1.8000000000000p+0, 0x1.3333333333333p-2, 0x1.879acd87c398ep+0},
    {java_hypot, 0x1.c000000000000p+2, 0x1.999999999999ap-4, 0x1.c00bb3c751b56p+2},
};

static void same_bits(double got, double want, size_t row)
{
    if (memcmp(&got, &want, sizeof(got)))
        fail_msg("row %zu: %a instead of %a", row, got, want);
}

static void test_one_argument(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(ONE); i++)
        same_bits(ONE[i].function(ONE[i].x), ONE[i].want, i);
}

static void test_two_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(TWO); i++)
        same_bits(TWO[i].function(TWO[i].x, TWO[i].y), TWO[i].want, i);
}

/* The order that shuffle(.., 123) gives four elements. */
static void test_mersenne(void **state)
{
    (void)state;
    MersenneTwister r;
    int32_t places[4] = {0};
    const int32_t want[4] = {4, 1, 2, 3};
    mersenne_start(&r, 123);
    for (int32_t i = 0; i < 4; i++) {
        int32_t k = mersenne_below(&r, i + 1);
        places[i] = places[k];
        places[k] = i + 1;
    }
    assert_memory_equal(places, want, sizeof(want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_argument), cmocka_unit_test(test_two_arguments),
                                       cmocka_unit_test(test_mersenne)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
