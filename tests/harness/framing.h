/*
 * framing.h - requests as bytes, right and wrong, each with what the API must
 * answer and whether it may keep the connection then: the classes of case
 * over which two parsers may disagree where a request ends.
 *
 * Data, not code: a table that each test includes where it needs it.
 */
#ifndef EVH_TEST_FRAMING_H
#define EVH_TEST_FRAMING_H

#include <stddef.h>

enum framing_end { FRAMING_KEPT = 1, FRAMING_CLOSED };

/* Refused or not, as long as it is one answer and the end. */
#define FRAMING_ANY 0

struct framing {
	const char *what, *bytes;
	size_t len;
	int status;
	enum framing_end end;
};

#define KEPT   FRAMING_KEPT
#define CLOSED FRAMING_CLOSED
#define ANY    FRAMING_ANY

#define SIZED(bytes) bytes, sizeof(bytes) - 1
#define BODY	     "{\"name\":\"a\",\"data\":{}}"
#define POST	     "POST /api/v1/events HTTP/1.1\r\n"
#define GET	     "GET /livez HTTP/1.1\r\n"
#define HOST	     "Host: x\r\n"
#define LENGTH	     "Content-Length: 22\r\n"
#define CHUNKED	     "Transfer-Encoding: chunked\r\n"
#define CHUNKS	     "16\r\n" BODY "\r\n0\r\n\r\n"
#define CHUNK_POST   POST HOST CHUNKED "\r\n"

static const struct framing framing_right[] = {
	{ "GET", SIZED(GET HOST "\r\n"), 200, KEPT },
	{ "POST", SIZED(POST HOST LENGTH "\r\n" BODY), 201, KEPT },
	{ "empty lines first", SIZED("\r\n\r\n" GET HOST "\r\n"), 200, KEPT },
	{ "names in any case",
	  SIZED(POST "hOST: x\r\ncONTENT-lENGTH: 22\r\n\r\n" BODY), 201, KEPT },
	{ "field without a value", SIZED(GET HOST "X:\r\n\r\n"), 200, KEPT },
	{ "white space around values",
	  SIZED(GET "Host:\t x \t\r\nX: \t\r\n\r\n"), 200, KEPT },
	{ "no white space before values",
	  SIZED(POST "Host:x\r\nContent-Length:22\r\n\r\n" BODY), 201, KEPT },
	{ "bytes beyond ASCII in a value",
	  SIZED(GET HOST "X: \xC3\xA9\xFF\r\n\r\n"), 200, KEPT },
	{ "every character a name may have",
	  SIZED(GET HOST "!#$%&'*+-.^_`|~09AZaz: x\r\n\r\n"), 200, KEPT },
	{ "the same field twice", SIZED(GET HOST "X: a\r\nX: b\r\n\r\n"), 200,
	  KEPT },
	{ "no bytes", SIZED(POST HOST "Content-Length: 0\r\n\r\n"), 422, KEPT },
	{ "zeros before the length",
	  SIZED(POST HOST "Content-Length: 00022\r\n\r\n" BODY), 201, KEPT },
	{ "a GET with a body", SIZED(GET HOST LENGTH "\r\n" BODY), 200, KEPT },
	{ "a refused body is read to its end",
	  SIZED(POST HOST "Content-Length: 7\r\n\r\n{\"name\""), 422, KEPT },
	{ "a body that looks like a request",
	  SIZED(POST HOST "Content-Length: 34\r\n\r\n"
			  "GET /livez HTTP/1.1\r\nHost: xyz\r\n\r\n"),
	  422, KEPT },
	{ "HTTP/1.2", SIZED("GET /livez HTTP/1.2\r\n" HOST "\r\n"), 200, KEPT },
	{ "a port in Host", SIZED(GET "Host: localhost:8000\r\n\r\n"), 200,
	  KEPT },
	{ "an address in Host", SIZED(GET "Host: [::1]:8000\r\n\r\n"), 200,
	  KEPT },
	{ "OPTIONS *", SIZED("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 204, KEPT },
};

static const struct framing framing_ending[] = {
	{ "Connection: close", SIZED(GET HOST "Connection: close\r\n\r\n"), 200,
	  CLOSED },
	{ "close among others", SIZED(GET HOST "Connection: x, CLOSE\r\n\r\n"),
	  200, CLOSED },
	{ "HTTP/1.0", SIZED("GET /livez HTTP/1.0\r\n\r\n"), 200, CLOSED },
	{ "HTTP/1.0 that wants to stay",
	  SIZED("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n"
		"\r\n"),
	  200, CLOSED },
	{ "HTTP/1.0 with a body",
	  SIZED("POST /api/v1/events HTTP/1.0\r\n" LENGTH "\r\n" BODY), 201,
	  CLOSED },
	{ "chunks", SIZED(POST HOST CHUNKED "\r\n" CHUNKS), 201, CLOSED },
	{ "chunks of one byte and capitals",
	  SIZED(POST HOST "transfer-encoding: CHUNKED\r\n\r\n"
			  "1\r\n{\r\n000F\r\n\"name\":\"a\",\"dat\r\n"
			  "6\r\na\":{}}\r\n00\r\n\r\n"),
	  201, CLOSED },
	{ "chunks with extension and trailer",
	  SIZED(POST HOST CHUNKED "\r\n16;a=b\r\n" BODY
				  "\r\n0\r\nX-T: 1\r\n\r\n"),
	  201, CLOSED },
	{ "a GET in chunks", SIZED(GET HOST CHUNKED "\r\n" CHUNKS), 200,
	  CLOSED },
};

static const struct framing framing_lengths[] = {
	{ "length and chunks", SIZED(POST HOST LENGTH CHUNKED "\r\n" CHUNKS),
	  400, CLOSED },
	{ "chunks and length",
	  SIZED(POST HOST CHUNKED "Content-Length: 4\r\n\r\n" CHUNKS), 400,
	  CLOSED },
	{ "length twice", SIZED(POST HOST LENGTH LENGTH "\r\n" BODY), 400,
	  CLOSED },
	{ "two lengths",
	  SIZED(POST HOST LENGTH "Content-Length: 0\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "a list", SIZED(POST HOST "Content-Length: 22, 22\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "minus", SIZED(POST HOST "Content-Length: -1\r\n\r\n"), 400, CLOSED },
	{ "plus", SIZED(POST HOST "Content-Length: +22\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "hex", SIZED(POST HOST "Content-Length: 0x16\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "letters", SIZED(POST HOST "Content-Length: abc\r\n\r\n"), 400,
	  CLOSED },
	{ "a space within", SIZED(POST HOST "Content-Length: 2 2\r\n\r\n" BODY),
	  400, CLOSED },
	{ "nothing", SIZED(POST HOST "Content-Length:\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "a dot", SIZED(POST HOST "Content-Length: 22.0\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "beyond 64 bits",
	  SIZED(POST HOST "Content-Length: 18446744073709551638\r\n"
			  "\r\n" BODY),
	  413, CLOSED },
	{ "a space before the colon",
	  SIZED(POST HOST "Content-Length : 22\r\n\r\n" BODY), 400, CLOSED },
	{ "a tab before the colon",
	  SIZED(POST HOST "Content-Length\t: 22\r\n\r\n" BODY), 400, CLOSED },
	{ "folded", SIZED(POST HOST "Content-Length:\r\n 22\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "none", SIZED(POST HOST "\r\n"), 411, CLOSED },
};

static const struct framing framing_codings[] = {
	{ "a space before the colon",
	  SIZED(POST HOST "Transfer-Encoding : chunked\r\n\r\n" CHUNKS), 400,
	  CLOSED },
	{ "folded",
	  SIZED(POST HOST "Transfer-Encoding:\r\n chunked\r\n\r\n" CHUNKS), 400,
	  CLOSED },
	{ "twice", SIZED(POST HOST CHUNKED CHUNKED "\r\n" CHUNKS), 400,
	  CLOSED },
	{ "unknown",
	  SIZED(POST HOST "Transfer-Encoding: xchunked\r\n\r\n" CHUNKS), 400,
	  CLOSED },
	{ "a list",
	  SIZED(POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n" CHUNKS),
	  400, CLOSED },
	{ "a list that ends otherwise",
	  SIZED(POST HOST
		"Transfer-Encoding: chunked, identity\r\n\r\n" CHUNKS),
	  400, CLOSED },
	{ "identity",
	  SIZED(POST HOST "Transfer-Encoding: identity\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "empty", SIZED(POST HOST "Transfer-Encoding:\r\n\r\n" CHUNKS), 400,
	  CLOSED },
	{ "vertical tab",
	  SIZED(POST HOST "Transfer-Encoding: \vchunked\r\n\r\n" CHUNKS), 400,
	  CLOSED },
	{ "in HTTP/1.0",
	  SIZED("POST /api/v1/events HTTP/1.0\r\n" CHUNKED "\r\n" CHUNKS), 400,
	  CLOSED },
};

static const struct framing framing_chunks[] = {
	{ "no number", SIZED(CHUNK_POST "xyz\r\n" BODY), 400, CLOSED },
	{ "minus", SIZED(CHUNK_POST "-1\r\n" BODY "\r\n0\r\n\r\n"), 400,
	  CLOSED },
	{ "0x", SIZED(CHUNK_POST "0x16\r\n" BODY "\r\n0\r\n\r\n"), 400,
	  CLOSED },
	{ "beyond 64 bits",
	  SIZED(CHUNK_POST "10000000000000016\r\n" BODY "\r\n0\r\n\r\n"), 413,
	  CLOSED },
	{ "longer than told", SIZED(CHUNK_POST "15\r\n" BODY "\r\n0\r\n\r\n"),
	  400, CLOSED },
	{ "shorter than told", SIZED(CHUNK_POST "1b\r\n" BODY "\r\n0\r\n\r\n"),
	  400, CLOSED },
	/* These the library may take; what matters is the end. */
	{ "a space before the number",
	  SIZED(CHUNK_POST " 16\r\n" BODY "\r\n0\r\n\r\n"), ANY, CLOSED },
	{ "a space behind the number",
	  SIZED(CHUNK_POST "16 \r\n" BODY "\r\n0\r\n\r\n"), ANY, CLOSED },
	{ "bare LF", SIZED(CHUNK_POST "16\n" BODY "\n0\n\n"), ANY, CLOSED },
	{ "bare LF behind the bytes",
	  SIZED(CHUNK_POST "17\r\n" BODY "\r\n0\r\n\r\n"), ANY, CLOSED },
	{ "no number at all", SIZED(CHUNK_POST "\r\n" BODY "\r\n0\r\n\r\n"),
	  ANY, CLOSED },
	{ "a length in the trailer",
	  SIZED(CHUNK_POST "16\r\n" BODY "\r\n0\r\nContent-Length: 5\r\n\r\n"),
	  ANY, CLOSED },
};

static const struct framing framing_heads[] = {
	{ "no Host", SIZED(GET "\r\n"), 400, CLOSED },
	{ "two Hosts", SIZED(GET HOST HOST "\r\n"), 400, CLOSED },
	{ "two other Hosts", SIZED(GET HOST "Host: y\r\n\r\n"), 400, CLOSED },
	{ "a Host with a path", SIZED(GET "Host: x/y\r\n\r\n"), 400, CLOSED },
	{ "a Host with a user", SIZED(GET "Host: a@x\r\n\r\n"), 400, CLOSED },
	{ "a Host with a space", SIZED(GET "Host: x y\r\n\r\n"), 400, CLOSED },
	{ "folded", SIZED(GET HOST "X: a\r\n b\r\n\r\n"), 400, CLOSED },
	{ "folded by a tab", SIZED(GET HOST "X: a\r\n\tb\r\n\r\n"), 400,
	  CLOSED },
	{ "space before the first name", SIZED(GET " Host: x\r\n\r\n"), 400,
	  CLOSED },
	{ "space before a colon", SIZED(GET "Host : x\r\n\r\n"), 400, CLOSED },
	{ "no colon", SIZED(GET HOST "X\r\n\r\n"), 400, CLOSED },
	{ "no name", SIZED(GET HOST ": x\r\n\r\n"), 400, CLOSED },
	{ "brackets in a name", SIZED(GET HOST "X[]: a\r\n\r\n"), 400, CLOSED },
	{ "other bytes in a name", SIZED(GET HOST "X\xC3\xA9: a\r\n\r\n"), 400,
	  CLOSED },
	{ "NUL in a name", SIZED(GET HOST "X\0Y: a\r\n\r\n"), 400, CLOSED },
	{ "NUL in a value", SIZED(GET HOST "X: a\0b\r\n\r\n"), 400, CLOSED },
	{ "NUL at a value's end", SIZED(GET HOST "X: a\0\r\n\r\n"), 400,
	  CLOSED },
	{ "NUL in a length",
	  SIZED(POST HOST "Content-Length: 22\0\r\n\r\n" BODY), 400, CLOSED },
	{ "control character in a value", SIZED(GET HOST "X: a\x01\r\n\r\n"),
	  400, CLOSED },
	{ "DEL in a value", SIZED(GET HOST "X: a\x7F\r\n\r\n"), 400, CLOSED },
	{ "bare CR in a value", SIZED(GET HOST "X: a\rb\r\n\r\n"), 400,
	  CLOSED },
	{ "bare CR for a line's end",
	  SIZED(GET "Host: x\rContent-Length: 0\r\n\r\n"), 400, CLOSED },
	{ "bare LF behind the first line",
	  SIZED("GET /livez HTTP/1.1\n" HOST "\r\n"), 400, CLOSED },
	{ "bare LF behind a field", SIZED(GET "Host: x\nX: y\r\n\r\n"), 400,
	  CLOSED },
	{ "bare LF hides a length",
	  SIZED(POST HOST "X: y\nContent-Length: 22\r\n\r\n" BODY), 400,
	  CLOSED },
	{ "bare LF at the end", SIZED(GET HOST "\n"), 400, CLOSED },
	{ "bare LF everywhere", SIZED("GET /livez HTTP/1.1\nHost: x\n\n"), 400,
	  CLOSED },
	{ "another Expect", SIZED(GET HOST "Expect: x\r\n\r\n"), 417, CLOSED },
	{ "Expect with more",
	  SIZED(POST HOST LENGTH "Expect: 100-continue, x\r\n\r\n" BODY), 417,
	  CLOSED },
};

static const struct framing framing_first_lines[] = {
	{ "no version", SIZED("GET /livez\r\n" HOST "\r\n"), 400, CLOSED },
	{ "HTTP/0.9", SIZED("GET /livez HTTP/0.9\r\n" HOST "\r\n"), 505,
	  CLOSED },
	{ "HTTP/2.0", SIZED("GET /livez HTTP/2.0\r\n" HOST "\r\n"), 505,
	  CLOSED },
	{ "HTTP/2's preface", SIZED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505,
	  CLOSED },
	{ "HTTP/3.0", SIZED("GET /livez HTTP/3.0\r\n" HOST "\r\n"), 505,
	  CLOSED },
	{ "HTTP/1.10", SIZED("GET /livez HTTP/1.10\r\n" HOST "\r\n"), 400,
	  CLOSED },
	{ "HTTP/11", SIZED("GET /livez HTTP/11\r\n" HOST "\r\n"), 400, CLOSED },
	{ "small letters", SIZED("GET /livez http/1.1\r\n" HOST "\r\n"), 400,
	  CLOSED },
	{ "another protocol", SIZED("GET /livez ICY/1.1\r\n" HOST "\r\n"), 400,
	  CLOSED },
	{ "space in the target", SIZED("GET /liv ez HTTP/1.1\r\n" HOST "\r\n"),
	  400, CLOSED },
	{ "two spaces first", SIZED("GET  /livez HTTP/1.1\r\n" HOST "\r\n"),
	  400, CLOSED },
	{ "two spaces last", SIZED("GET /livez  HTTP/1.1\r\n" HOST "\r\n"), 400,
	  CLOSED },
	{ "space at the end", SIZED("GET /livez HTTP/1.1 \r\n" HOST "\r\n"),
	  400, CLOSED },
	{ "tabs", SIZED("GET\t/livez\tHTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
	{ "brackets in a method", SIZED("GE(T /livez HTTP/1.1\r\n" HOST "\r\n"),
	  400, CLOSED },
	{ "NUL in a method", SIZED("GET\0 /livez HTTP/1.1\r\n" HOST "\r\n"),
	  400, CLOSED },
	{ "NUL in the target", SIZED("GET /livez\0x HTTP/1.1\r\n" HOST "\r\n"),
	  400, CLOSED },
	{ "bytes beyond ASCII in the target",
	  SIZED("GET /\xC3\xA9 HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
	{ "no method", SIZED(" /livez HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
	{ "no slash", SIZED("GET livez HTTP/1.1\r\n" HOST "\r\n"), 400,
	  CLOSED },
	{ "a whole URI", SIZED("GET http://x/livez HTTP/1.1\r\n" HOST "\r\n"),
	  400, CLOSED },
	{ "an authority",
	  SIZED("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"), 400, CLOSED },
	{ "* for a GET", SIZED("GET * HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
	{ "a word", SIZED("garbage\r\n\r\n"), 400, CLOSED },
	{ "JSON", SIZED("{\"name\":\"a\",\"data\":{}}\r\n\r\n"), 400, CLOSED },
	{ "TLS",
	  SIZED("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"
		"\r\n\r\n"),
	  400, CLOSED },
};

#undef KEPT
#undef CLOSED
#undef ANY

#endif
