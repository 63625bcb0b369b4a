#include "tool/report_files.hpp"

#include "os/harness/output_file.hpp"
#include "tool/demo_setup.hpp"
#include "tool/report_html.hpp"
#include "tool/report_json.hpp"
#include "tool/report_svg.hpp"

#include <filesystem>
#include <system_error>

namespace resident::tool {
namespace {

constexpr const char* html_name = "report.html";
constexpr const char* json_name = "report.json";
constexpr const char* svg_name = "histogram.svg";

void check(const std::string& option, const std::string& path) {
    std::string reason;
    if (!os::output_file::usable(path, reason))
        throw usage_error(option + ": " + reason);
}

} // namespace

report_folder::report_folder(const std::string& path) : path_(path) {
    if (path.empty())
        throw usage_error("--output: the name of the folder is empty");
    std::string reason;
    if (!os::make_folder(path, made_, reason))
        throw usage_error("--output: " + reason);
}

report_folder::~report_folder() {
    std::error_code stays; // it holds files
    if (made_)
        std::filesystem::remove(path_, stays);
}

report_files::report_files(const demo_options& options) : folder_(options.output) {
    if (options.json && *options.json != "-")
        json_ = *options.json;
    if (json_)
        check("--json", *json_);
    for (const char* name : {html_name, json_name, svg_name})
        check("--output", path(name));
}

std::string report_files::write(const demo_result& result) {
    std::string failures;
    complete_ = true;
    const auto write_one = [&](const std::string& to, const std::string& content) {
        std::string reason;
        if (os::output_file::write(to, content, reason))
            return;
        failures += reason + "\n";
        complete_ = false;
    };
    const picture histogram = draw_histogram(result);
    const std::string json = json_report(result);
    write_one(path(json_name), json);
    write_one(path(html_name), html_report(result, histogram));
    if (histogram.svg.empty()) {
        failures += "no " + path(svg_name) + ": " + histogram.failure + "\n";
    } else {
        write_one(path(svg_name), histogram.svg);
    }
    if (json_)
        write_one(*json_, json);
    return failures;
}

} // namespace resident::tool
