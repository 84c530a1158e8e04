/* Elementary functions to the last digit of java.lang.StrictMath, which is defined as fdlibm's answers. */
#pragma once

double java_exp(double x);
double java_expm1(double x);
double java_log(double x);
double java_log10(double x);
double java_log1p(double x);
double java_pow(double x, double y);
double java_sinh(double x);
double java_cosh(double x);
double java_tanh(double x);
double java_cbrt(double x);
double java_asin(double x);
double java_acos(double x);
double java_atan(double x);
double java_atan2(double y, double x);
double java_asinh(double x);
double java_acosh(double x);
double java_hypot(double x, double y);
