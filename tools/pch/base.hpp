// Precompiled for the rooms below mesh: what nearly each of their files includes.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
