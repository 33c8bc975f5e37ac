# Where a distribution expects things; evhd finds its plugins and share/
# from its own place (../LIBDIR/evh/plugins, ../share/evh).  Plugins install
# themselves (evh_plugin).

install(TARGETS evhd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/core/include/evh
	DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/migrations
	DESTINATION ${CMAKE_INSTALL_DATADIR}/evh FILES_MATCHING PATTERN "*.sql")

# The configuration twice: as shipped, to compare with, and as somebody's own,
# which no later installation may overwrite.
# By name: conf/ is where people try files of their own, too.
set(EVH_CONFIGS api.conf consumer.conf evh.conf)
list(JOIN EVH_CONFIGS " " EVH_CONFIGS_WORDS)
list(TRANSFORM EVH_CONFIGS PREPEND ${CMAKE_SOURCE_DIR}/conf/
	OUTPUT_VARIABLE EVH_CONFIG_FILES)
install(FILES ${EVH_CONFIG_FILES}
	DESTINATION ${CMAKE_INSTALL_DATADIR}/evh/conf)
install(CODE "
	set(etc \"${CMAKE_INSTALL_FULL_SYSCONFDIR}/evh\")
	foreach(name IN ITEMS ${EVH_CONFIGS_WORDS})
		set(config \"${CMAKE_SOURCE_DIR}/conf/\${name}\")
		if(EXISTS \"\$ENV{DESTDIR}\${etc}/\${name}\")
			message(STATUS \"Kept: \$ENV{DESTDIR}\${etc}/\${name}\")
		else()
			file(INSTALL \"\${config}\" DESTINATION \"\${etc}\")
		endif()
	endforeach()")

# evh.pc finds its prefix from its own place, so that an installation can be
# staged and moved.
file(RELATIVE_PATH EVH_PC_PREFIX
	${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" EVH_PC_PREFIX "${EVH_PC_PREFIX}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/evh.pc.in ${CMAKE_BINARY_DIR}/evh.pc
	@ONLY)
install(FILES ${CMAKE_BINARY_DIR}/evh.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
