/*
 * awkward.h - JSON objects that are right, and that software likes to change
 * or to stumble over: events' data that must come out of every hop byte for
 * byte as it went in.  Each is an object, and may stand in a body or a
 * message, which are one level deeper.
 *
 * Data, not code: a table that each test includes where it needs it.
 */
#ifndef EVH_TEST_AWKWARD_H
#define EVH_TEST_AWKWARD_H

#include <stddef.h>

struct awkward {
	const char *name;
	const char *bytes;
	size_t len;
};

#define AWKWARD(name, text)                                                    \
	{                                                                      \
		name, text, sizeof(text) - 1                                   \
	}

/* 63 levels, the outermost object counted: 64 with the body around it. */
#define AWKWARD_4(x)  x x x x
#define AWKWARD_60(x) AWKWARD_4(AWKWARD_4(x x x) x x x)
#define AWKWARD_62(x) AWKWARD_60(x) x x

static const struct awkward awkward[] = {
	AWKWARD("empty", "{}"),
	AWKWARD("empty with space inside", "{ \t\r\n}"),
	AWKWARD("space everywhere",
		" \t{\n \"a\" \r: [ 1 , 2\t] ,\n\n\"b\" : { } } \r\n"),
	AWKWARD("order that sorting would change", "{\"z\":1,\"a\":2,\"m\":3}"),
	AWKWARD("empty member name", "{\"\":\"\"}"),
	AWKWARD("names that differ in case only",
		"{\"a\":1,\"A\":2,\"\xC3\xA4\":3,\"\xC3\x84\":4}"),
	AWKWARD("names alike to the eye, not in bytes",
		"{\"\xC3\xA9\":1,\"e\xCC\x81\":2}"),
	AWKWARD("names that programs use",
		"{\"__proto__\":{},\"constructor\":1,\"id\":2,\"name\":3,"
		"\"data\":{\"data\":4},\"created_at\":null}"),
	AWKWARD("escaped names", "{\"\\u0061\\n\\\"\\\\\\/\":1,\"b\":2}"),

	AWKWARD("one with decimals", "{\"n\":1.0}"),
	AWKWARD("decimals that end in zeros", "{\"n\":[1.10,0.500,100.00]}"),
	AWKWARD("minus zero", "{\"n\":[-0,-0.0,-0e0,0e0,0E+0,0e-0]}"),
	AWKWARD("integers at 53 bits",
		"{\"n\":[9007199254740991,9007199254740992,9007199254740993]}"),
	AWKWARD("integers at 64 bits",
		"{\"n\":[9223372036854775807,9223372036854775808,"
		"-9223372036854775808,-9223372036854775809,"
		"18446744073709551615,18446744073709551616]}"),
	AWKWARD("integer of 30 digits",
		"{\"n\":123456789012345678901234567890}"),
	AWKWARD("integer of 300 digits",
		"{\"n\":"
		"123456789012345678901234567890123456789012345678901234567890"
		"123456789012345678901234567890123456789012345678901234567890"
		"123456789012345678901234567890123456789012345678901234567890"
		"123456789012345678901234567890123456789012345678901234567890"
		"123456789012345678901234567890123456789012345678901234567890"
		"}"),
	AWKWARD("more decimals than a double keeps",
		"{\"n\":[0.1,0.10000000000000000555,"
		"3.14159265358979323846264338327950288]}"),
	AWKWARD("a double's ends",
		"{\"n\":[1.7976931348623157e308,-1.7976931348623157E+308,"
		"2.2250738585072014e-308,4.9e-324,1e-400,1e-99999]}"),
	AWKWARD("exponents in every form",
		"{\"n\":[1e5,1E5,1e+5,1E-5,1e05,10e-1,1.5e0,0.1e1]}"),

	AWKWARD("escapes",
		"{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20AC\"}"),
	AWKWARD("slashes, escaped and not", "{\"s\":\"a/b\\/c</script>\"}"),
	AWKWARD("NUL, escaped", "{\"s\":\"\\u0000\",\"t\":\"a\\u0000b\"}"),
	AWKWARD("control characters, escaped",
		"{\"s\":\"\\u0001\\u001f\\u007F\\u0080\\u009f\"}"),
	AWKWARD("delete character", "{\"s\":\"\x7F\"}"),
	AWKWARD("C1 control characters",
		"{\"s\":\"\xC2\x80\xC2\x85\xC2\x9F\"}"),
	AWKWARD("surrogate pairs, escaped",
		"{\"s\":\"\\uD83D\\uDE00\\ud834\\udd1e\\uDBFF\\uDFFF\"}"),
	AWKWARD("text that looks like an escape",
		"{\"s\":\"\\\\u0041 \\\\n\"}"),
	AWKWARD("quotes and brackets in a string",
		"{\"s\":\"}]\\\",{[:\\\\\",\"t\":\"\\\"}\"}"),
	AWKWARD("two bytes of UTF-8", "{\"s\":\"\xC2\xA0\xC3\xBC\xDF\xBF\"}"),
	AWKWARD("three bytes of UTF-8",
		"{\"s\":\"\xE0\xA0\x80\xE2\x82\xAC\xED\x9F\xBF\xEE\x80\x80\"}"),
	AWKWARD("four bytes of UTF-8",
		"{\"s\":\"\xF0\x90\x80\x80\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\"}"),
	AWKWARD("noncharacters",
		"{\"s\":"
		"\"\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xB7\x90\xF0\x9F\xBF\xBF\"}"),
	AWKWARD("replacement character", "{\"s\":\"\xEF\xBF\xBD\"}"),
	AWKWARD("byte order mark inside", "{\"s\":\"\xEF\xBB\xBFx\"}"),
	AWKWARD("line and paragraph separators",
		"{\"s\":\"\xE2\x80\xA8\xE2\x80\xA9\"}"),
	AWKWARD("right to left, and its override",
		"{\"s\":\"\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D\xE2\x80\xAE"
		"abc\xE2\x80\xAC\"}"),
	AWKWARD("composed and decomposed",
		"{\"s\":[\"\xC3\x85\",\"A\xCC\x8A\",\"\xE2\x84\xAB\"]}"),
	AWKWARD("a family of four, joined",
		"{\"s\":"
		"\"\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D"
		"\xF0\x9F\x91\xA7\xE2\x80\x8D\xF0\x9F\x91\xA6\"}"),
	AWKWARD("a letter under many marks",
		"{\"s\":"
		"\"Z\xCC\xB4\xCC\x9B\xCD\x89\xCD\x87\xCC\xAE\xCD\x95\"}"),
	AWKWARD("zero width",
		"{\"s\":\"a\xE2\x80\x8B\xE2\x80\x8C\xE2\x81\xA0z\"}"),
	AWKWARD("letters whose case has another length",
		"{\"s\":\"\xC4\xB0\xC3\x9F\xEF\xAC\x81\xC7\x85\"}"),
	AWKWARD("private use", "{\"s\":\"\xEE\x80\x80\xF3\xB0\x80\x80\"}"),
	AWKWARD("quotes of other scripts",
		"{\"s\":\"\xE2\x80\x9C\xE2\x80\x9D\xC2\xAB\xEF\xBC\x82'`\"}"),

	AWKWARD("what a database would read",
		"{\"s\":\"'; DROP TABLE events; --\",\"t\":\"\\\\x00\\\\N\","
		"\"u\":\"{1,NULL}\",\"v\":\"$1 %s %n ${HOME}\"}"),
	AWKWARD("JSON within a string",
		"{\"s\":\"{\\\"a\\\":[1,2,{\\\"b\\\":\\\"\\\\\\\"\\\"}]}\"}"),
	AWKWARD("words as values", "{\"a\":true,\"b\":false,\"c\":null,\"d\":"
				   "\"true\",\"e\":\"null\"}"),
	AWKWARD("empty values",
		"{\"a\":[],\"b\":{},\"c\":\"\",\"d\":[[]],\"e\":[{}],"
		"\"f\":{\"\":{}}}"),
	AWKWARD("arrays of everything", "{\"a\":[0,-1,1.5,\"x\",true,false,"
					"null,[],{},[[1]],{\"b\":[2]}]}"),
	AWKWARD("the same name in other objects",
		"{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}"),
	AWKWARD("arrays to the limit",
		"{\"a\":" AWKWARD_62("[") AWKWARD_62("]") "}"),
	AWKWARD("objects to the limit",
		AWKWARD_62("{\"a\":") "{}" AWKWARD_62("}")),
};

#define N_AWKWARD (sizeof(awkward) / sizeof(awkward[0]))

#endif
