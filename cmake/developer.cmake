# Defaults for those who work on resident itself; never imposed on a project that embeds it.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(RESIDENT_CCACHE ccache)
  mark_as_advanced(RESIDENT_CCACHE)
  if(RESIDENT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${RESIDENT_CCACHE})
  endif()
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)
