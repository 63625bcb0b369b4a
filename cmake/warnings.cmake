# resident_warnings(<target>...): what is installed, or runs beside it, compiles without these.
function(resident_warnings)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align -Wcast-qual
      -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wundef -Wformat=2
      $<$<BOOL:${RESIDENT_WARNINGS_AS_ERRORS}>:-Werror>)
  endforeach()
endfunction()

# resident_test_warnings(<target>...): tests and examples may convert numbers freely.
function(resident_test_warnings)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wshadow
      $<$<BOOL:${RESIDENT_WARNINGS_AS_ERRORS}>:-Werror>)
  endforeach()
endfunction()
