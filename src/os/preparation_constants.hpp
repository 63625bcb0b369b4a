#pragma once

#include "os/kernel_constants.hpp"
