# Runs PROGRAM; where the file EXPECTED exists, the program must print exactly its text.
# An example that cannot do its work on this machine exits with 77 and says why on stderr.
execute_process(COMMAND ${PROGRAM}
  OUTPUT_VARIABLE output ERROR_VARIABLE error RESULT_VARIABLE result)
message("${output}${error}")
if(result EQUAL 77)
  message("SKIPPED: ${error}")
elseif(result EQUAL 2 AND SANITIZED)
  message("SKIPPED: it proves what a sanitizer prevents; its own memory faults, and pools take turns")
elseif(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${result}")
elseif(EXISTS ${EXPECTED})
  file(READ ${EXPECTED} expected)
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "Expected, from ${EXPECTED}:\n${expected}")
  endif()
endif()
