# evh_plugin(NAME SOURCES plugin.c [PARTS a.c b.c] [LIBS ...])
#
# One plugin: plugins/NAME.so, that exports `evh_plugin` and nothing else; its
# version is the project's, EVH_VERSION.
# PARTS are its nouns, also built as the static library NAME_parts, which
# its unit tests link.
function(evh_plugin name)
	cmake_parse_arguments(arg "" "" "SOURCES;PARTS;LIBS" ${ARGN})
	add_library(${name} MODULE ${arg_SOURCES})
	set_target_properties(${name} PROPERTIES PREFIX ""
		LIBRARY_OUTPUT_DIRECTORY ${EVH_PLUGIN_OUTPUT})
	target_link_options(${name} PRIVATE
		-Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/plugin.syms)
	set_property(TARGET ${name} PROPERTY LINK_DEPENDS
		${CMAKE_SOURCE_DIR}/cmake/plugin.syms)
	target_link_libraries(${name} PRIVATE evhabi ${arg_LIBS})
	target_compile_definitions(${name} PRIVATE
		EVH_VERSION="${PROJECT_VERSION}")
	if(arg_PARTS)
		add_library(${name}_parts STATIC ${arg_PARTS})
		target_include_directories(${name}_parts PUBLIC
			${CMAKE_CURRENT_SOURCE_DIR})
		target_link_libraries(${name}_parts PUBLIC evhabi ${arg_LIBS})
		target_link_libraries(${name} PRIVATE ${name}_parts)
	endif()
	install(TARGETS ${name}
		LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/evh/plugins)
endfunction()

# evh_test(NAME SOURCES ... [LIBS ...] [LABELS ...] [ENV A=B ...])
#
# One cmocka program and one ctest entry.  Labels: unit, abi, integration;
# `threads` on what is worth running under TSan.  The time limit is for what
# hangs, on any machine: what a test waits for has deadlines of its own.
function(evh_test name)
	cmake_parse_arguments(arg "" "" "SOURCES;LIBS;LABELS;ENV" ${ARGN})
	add_executable(${name} ${arg_SOURCES})
	set_target_properties(${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	target_link_libraries(${name} PRIVATE ${arg_LIBS} PkgConfig::CMOCKA)
	add_test(NAME ${name} COMMAND ${name})
	set_tests_properties(${name} PROPERTIES TIMEOUT 1200
		LABELS "${arg_LABELS}"
		ENVIRONMENT "EVH_BUILD_DIR=${CMAKE_BINARY_DIR};EVH_SOURCE_DIR=${CMAKE_SOURCE_DIR};${arg_ENV}")
endfunction()
