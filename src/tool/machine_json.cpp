#include "tool/machine_json.hpp"

namespace resident::tool {

nlohmann::ordered_json machine_part(const std::vector<std::pair<std::string, std::string>>& facts) {
    nlohmann::ordered_json machine = nlohmann::ordered_json::object();
    for (const auto& [name, value] : facts)
        machine[name] = value;
    return machine;
}

nlohmann::ordered_json machine_part(const std::vector<std::pair<std::string, std::string>>& facts,
                                    const latency_histogram& noise) {
    nlohmann::ordered_json machine = machine_part(facts);
    machine["noise"] = {{"what", "two readings of the clock, with nothing between them"},
                        {"samples", noise.total()},
                        {"p50_ns", noise.percentile(0.5)},
                        {"p99_ns", noise.percentile(0.99)},
                        {"p99_9_ns", noise.percentile(0.999)},
                        {"p99_99_ns", noise.percentile(0.9999)},
                        {"max_ns", noise.largest()}};
    return machine;
}

} // namespace resident::tool
