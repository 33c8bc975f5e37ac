#include "rfc3339.h"

#include <errno.h>
#include <stdbool.h>

#include "clock.h"

#define DAY_S	  86400
#define YEAR_DAYS 365

static bool
is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int64_t year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
	};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/*
 * Days since 1970-01-01 in the Gregorian calendar.  Years are counted from
 * March, so that the leap day is a year's last one, and in eras of 400 years,
 * which all have 146,097 days.
 */
static int64_t
days_from_date(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t month_from_march = (month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * YEAR_DAYS + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - 719468;
}

static void
date_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 +
			       day_of_era / 36524 - day_of_era / 146096) /
			      YEAR_DAYS;
	int64_t day_of_year =
		day_of_era -
		(YEAR_DAYS * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	*ret_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	*ret_month = (int)(month_from_march < 10 ? month_from_march + 3
						 : month_from_march - 9);
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0);
}

static void
digits_write(char *ret, int n, int64_t value)
{
	while (n-- > 0) {
		ret[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

void
rfc3339_write(int64_t unix_ns, char ret[RFC3339_LEN])
{
	int64_t seconds, ns, days, year;
	int month, day;

	/* Division in C rounds towards 1970; time does not. */
	seconds = unix_ns / NS_PER_S;
	ns = unix_ns % NS_PER_S;
	if (ns < 0) {
		ns += NS_PER_S;
		seconds--;
	}
	days = (seconds >= 0 ? seconds : seconds - (DAY_S - 1)) / DAY_S;
	seconds -= days * DAY_S;
	date_from_days(days, &year, &month, &day);

	digits_write(ret, 4, year);
	ret[4] = '-';
	digits_write(ret + 5, 2, month);
	ret[7] = '-';
	digits_write(ret + 8, 2, day);
	ret[10] = 'T';
	digits_write(ret + 11, 2, seconds / 3600);
	ret[13] = ':';
	digits_write(ret + 14, 2, seconds / 60 % 60);
	ret[16] = ':';
	digits_write(ret + 17, 2, seconds % 60);
	ret[19] = '.';
	digits_write(ret + 20, 6, ns / 1000);
	ret[26] = 'Z';
}

/* ---- Reading ------------------------------------------------------------ */

/* What is left to read. */
struct input {
	const char *p;
	const char *end;
};

/* A number of exactly n digits within bounds. */
static bool
number_read(struct input *in, int n, int low, int high, int *ret)
{
	int value = 0;

	while (n-- > 0) {
		if (in->p >= in->end || *in->p < '0' || *in->p > '9')
			return false;
		value = value * 10 + (*in->p++ - '0');
	}
	*ret = value;
	return value >= low && value <= high;
}

static bool
one_of(struct input *in, char a, char b)
{
	if (in->p >= in->end || (*in->p != a && *in->p != b))
		return false;
	in->p++;
	return true;
}

/* "2026-11-22" as days since 1970. */
static bool
date_read(struct input *in, int64_t *ret_days)
{
	int year, month, day;

	if (!number_read(in, 4, 0, 9999, &year) || !one_of(in, '-', '-') ||
	    !number_read(in, 2, 1, 12, &month) || !one_of(in, '-', '-') ||
	    !number_read(in, 2, 1, month_days(year, month), &day))
		return false;
	*ret_days = days_from_date(year, month, day);
	return true;
}

/* "18:56:33" as seconds of the day; :60 is a leap second. */
static bool
time_read(struct input *in, int *ret_s)
{
	int hour, minute, second;

	if (!number_read(in, 2, 0, 23, &hour) || !one_of(in, ':', ':') ||
	    !number_read(in, 2, 0, 59, &minute) || !one_of(in, ':', ':') ||
	    !number_read(in, 2, 0, 60, &second))
		return false;
	*ret_s = hour * 3600 + minute * 60 + second;
	return true;
}

/* ".556543" as nanoseconds; nothing is 0. */
static bool
fraction_read(struct input *in, int *ret_ns)
{
	int ns = 0, unit = NS_PER_S / 10;

	*ret_ns = 0;
	if (!one_of(in, '.', '.'))
		return true;
	if (in->p >= in->end || *in->p < '0' || *in->p > '9')
		return false;
	for (; in->p < in->end && *in->p >= '0' && *in->p <= '9'; in->p++) {
		ns += (*in->p - '0') * unit;
		unit /= 10;
	}
	*ret_ns = ns;
	return true;
}

/* "Z" or "+01:00" as seconds east of Greenwich. */
static bool
offset_read(struct input *in, int *ret_s)
{
	int hour, minute, sign;

	*ret_s = 0;
	if (one_of(in, 'Z', 'z'))
		return true;
	sign = in->p < in->end && *in->p == '-' ? -1 : 1;
	if (!one_of(in, '+', '-') || !number_read(in, 2, 0, 23, &hour) ||
	    !one_of(in, ':', ':') || !number_read(in, 2, 0, 59, &minute))
		return false;
	*ret_s = sign * (hour * 3600 + minute * 60);
	return true;
}

/* RFC 3339 lets T and Z be small, and a space stand for T. */
static bool
separator_read(struct input *in)
{
	return one_of(in, 'T', 't') || one_of(in, ' ', ' ');
}

int
rfc3339_read(const char *text, size_t len, int64_t *ret_unix_ns)
{
	struct input in = { text, text + len };
	int second, fraction_ns, offset_s;
	int64_t days, seconds, ns;
	bool leap;

	if (!date_read(&in, &days) || !separator_read(&in))
		return -EINVAL;
	leap = in.end - in.p >= 8 && in.p[6] == '6';
	if (!time_read(&in, &second) || !fraction_read(&in, &fraction_ns) ||
	    !offset_read(&in, &offset_s) || in.p != in.end)
		return -EINVAL;

	seconds = days * DAY_S + second - offset_s;
	/* Leap seconds end a day of UTC.  POSIX time has none: the next one. */
	if (leap && seconds % DAY_S != 0)
		return -EINVAL;
	/* Years that 64 bits of nanoseconds do not reach: 1677 to 2262. */
	if (__builtin_mul_overflow(seconds, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)fraction_ns, &ns))
		return -EINVAL;
	*ret_unix_ns = ns;
	return 0;
}
