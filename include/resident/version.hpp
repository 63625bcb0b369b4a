/// The version of resident that a program was compiled against.
#pragma once

#define RESIDENT_VERSION_MAJOR 0
#define RESIDENT_VERSION_MINOR 1
#define RESIDENT_VERSION_PATCH 0
