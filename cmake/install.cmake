# Components: library (the shared objects), development (headers, archives, CMake and pkg-config
# files), tool (the resident command).
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/resident)

install(TARGETS resident EXPORT resident-targets
  LIBRARY COMPONENT library NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/resident
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING PATTERN "*.hpp"
  PATTERN "jemalloc_resource.hpp" EXCLUDE)

install(EXPORT resident-targets NAMESPACE resident::
  DESTINATION ${package_dir} COMPONENT development)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/resident-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_SOURCE_DIR}/cmake/resident-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/resident-config-version.cmake
  DESTINATION ${package_dir} COMPONENT development)

# resident.pc finds its prefix from where it lies, so an installed tree can be moved. The archive
# does not name the libraries it needs, a shared object does.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
  BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE pc_to_prefix)
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_LIBDIR
  BASE_DIRECTORY "\${prefix}" OUTPUT_VARIABLE pc_libdir)
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_INCLUDEDIR
  BASE_DIRECTORY "\${prefix}" OUTPUT_VARIABLE pc_includedir)
if(BUILD_SHARED_LIBS)
  set(pc_libs_private "-pthread")
else()
  set(pc_libs " -pthread")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/resident.pc.in resident.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/resident.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

if(TARGET resident_jemalloc)
  install(TARGETS resident_jemalloc EXPORT resident-jemalloc-targets
    LIBRARY COMPONENT library NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(FILES ${PROJECT_SOURCE_DIR}/include/resident/jemalloc_resource.hpp
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/resident COMPONENT development)
  install(EXPORT resident-jemalloc-targets NAMESPACE resident::
    DESTINATION ${package_dir} COMPONENT development)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/libjemalloc.cmake
    DESTINATION ${package_dir} COMPONENT development)
  # By its file's name: -ljemalloc would need the development package.
  cmake_path(GET RESIDENT_JEMALLOC_LIBRARY FILENAME pc_jemalloc_file)
  set(pc_jemalloc_library "-l:${pc_jemalloc_file}")
  if(RESIDENT_JEMALLOC_PREFIX STREQUAL "") # see src/CMakeLists.txt
    set(pc_jemalloc_order
      "-Wl,--push-state,--no-as-needed,-lstdc++,-l:libc.so.6,--pop-state ")
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/resident-jemalloc.pc.in resident-jemalloc.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/resident-jemalloc.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
  # Found where libresident is, which lies beside it.
  set_target_properties(resident_jemalloc PROPERTIES INSTALL_RPATH "$ORIGIN")
endif()

if(TARGET resident_tool)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR
    BASE_DIRECTORY ${CMAKE_INSTALL_FULL_BINDIR} OUTPUT_VARIABLE bin_to_lib)
  set_target_properties(resident_tool PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
  install(TARGETS resident_tool RUNTIME COMPONENT tool)
  install(TARGETS resident_record
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/resident COMPONENT tool)
endif()
