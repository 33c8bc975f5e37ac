# Flags of every target: C11, warnings as errors, the hardening that gcc 12
# and clang 14 know, and one sanitizer pair by EVH_SANITIZE.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)

# Assertions stay in: they say what evhd guarantees, and a service that goes on
# after one has failed could lose what it promised to keep.
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1")

set(EVH_SANITIZE "" CACHE STRING "empty, address (with undefined) or thread")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-g -Wall -Wextra -Werror -Wformat=2 -Wconversion
	-Wsign-conversion -Wimplicit-fallthrough -Wvla -Wshadow
	-Werror=format-security
	$<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
	$<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
	$<$<COMPILE_LANGUAGE:C>:-Werror=implicit>
	$<$<COMPILE_LANGUAGE:C>:-Werror=incompatible-pointer-types>
	$<$<COMPILE_LANGUAGE:C>:-Werror=int-conversion>)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	# What gcc believes of truncation changes with the optimisation level and
	# its version; where a text may be cut, the code says so.
	add_compile_options(-Wno-format-truncation)
	add_compile_options(-Wtrampolines -Wbidi-chars=any)
endif()

add_compile_options(-fstack-clash-protection -fstack-protector-strong
	-ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks
	-fno-strict-overflow -fno-strict-aliasing -fexceptions)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
	add_compile_options(-fcf-protection=full)
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
	-Wl,-z,separate-code -Wl,--as-needed -Wl,--no-copy-dt-needed-entries)
set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -pie")

if(EVH_SANITIZE STREQUAL "address")
	add_compile_options(-fsanitize=address,undefined
		-fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=address,undefined)
elseif(EVH_SANITIZE STREQUAL "thread")
	add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
	add_link_options(-fsanitize=thread)
elseif(NOT EVH_SANITIZE STREQUAL "")
	message(FATAL_ERROR "EVH_SANITIZE is empty, address or thread")
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	# Fortification and the sanitizers' interceptors get in each other's way.
	add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
