# Where a distribution expects things; evhd finds its plugins and share/
# from its own place (../LIBDIR/evh/plugins, ../share/evh).

install(TARGETS evhd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/core/include/evh
	DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/migrations
	DESTINATION ${CMAKE_INSTALL_DATADIR}/evh)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/conf/
	DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/evh FILES_MATCHING PATTERN "*.conf")

configure_file(${CMAKE_SOURCE_DIR}/cmake/evh.pc.in ${CMAKE_BINARY_DIR}/evh.pc
	@ONLY)
install(FILES ${CMAKE_BINARY_DIR}/evh.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
