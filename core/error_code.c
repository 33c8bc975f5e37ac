#include "error_code.h"

#include <string.h>

bool
error_code_is_sqlstate(const char *code)
{
	return strlen(code) == 5 &&
	       strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5;
}
