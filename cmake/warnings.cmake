# g++ 12 and 13 see overlaps in std::string that are not there (GCC bug 105651).
set(resident_warning_settings
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,14>>:-Wno-restrict>
  $<$<BOOL:${RESIDENT_WARNINGS_AS_ERRORS}>:-Werror>)

# resident_warnings(<target>...): what is installed, or runs beside it, compiles without these.
function(resident_warnings)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align -Wcast-qual
      -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wundef -Wformat=2
      ${resident_warning_settings})
  endforeach()
endfunction()

# resident_test_warnings(<target>...): tests and examples may convert numbers freely. Where several
# files are compiled as one, a local name may be that of a constant in another file.
function(resident_test_warnings)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wshadow>
      ${resident_warning_settings})
  endforeach()
endfunction()
