# Finds libjemalloc, of which the runtime package suffices, and offers it as resident::libjemalloc.
# Used by the build and, installed, by those who link resident::jemalloc.
find_library(RESIDENT_JEMALLOC_LIBRARY NAMES libjemalloc.so.2 jemalloc
  DOC "libjemalloc 5 (Debian: libjemalloc2)")
mark_as_advanced(RESIDENT_JEMALLOC_LIBRARY)
if(RESIDENT_JEMALLOC_LIBRARY AND NOT TARGET resident::libjemalloc)
  add_library(resident::libjemalloc UNKNOWN IMPORTED)
  set_target_properties(resident::libjemalloc PROPERTIES
    IMPORTED_LOCATION "${RESIDENT_JEMALLOC_LIBRARY}")
endif()
