#include "weft/program/flags.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

namespace weft::program {
namespace {

std::string examples(const std::string& program) {
  return "Examples:\n"
         "  " +
         program +
         "\n"
         "      run with the configuration found in ./config, ~/.config/weft or /etc/weft\n"
         "  " +
         program +
         " --config-dir config --env demo --set log.level=debug\n"
         "      run with another configuration, and one value of it changed\n"
         "  " +
         program +
         " --check\n"
         "      only say what is wrong with the configuration, if anything\n"
         "Signals: TERM and INT drain and exit, a second one exits at once; HUP loads the configuration anew.";
}

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--config-dir", flags.config_dir, "folder of the configuration")
      ->type_name("DIR")
      ->envname("WEFT_CONFIG_DIR");
  app.add_option("--env", flags.environment, "environment: adds the layer env/ENV.yaml")
      ->type_name("ENV")
      ->envname("WEFT_ENV");
  app.add_option("--host", flags.host, "name of this host: adds the layer hosts/HOST.yaml")
      ->type_name("HOST")
      ->envname("WEFT_HOST");
  app.add_option("--name", flags.name, "another name for this agent: adds the layer agents/NAME.yaml")
      ->type_name("NAME");
  app.add_option("--set", flags.sets, "sets one value of the configuration; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--log-level", flags.log_level, "trace, debug, info, warn, error or fatal")
      ->type_name("LEVEL")
      ->envname("WEFT_LOG_LEVEL");
  app.add_option("--log-format", flags.log_format, "automatic, json or text")
      ->type_name("FORMAT")
      ->envname("WEFT_LOG_FORMAT");
  app.add_flag("--check", flags.check, "check the configuration and exit");
}

std::string unexpected(const std::string& argument, const CLI::App& app) {
  const auto given = argument.substr(0, argument.find('='));
  std::vector<std::string> names{"--help", "--version"};
  for (const auto* option : app.get_options()) names.push_back("--" + option->get_lnames().front());
  return (given.starts_with('-') ? "unknown flag '" : "unexpected argument '") + given + "'" +
         did_you_mean(given, {names.begin(), names.end()});
}

/// What is wrong with the values, in words; empty: nothing.
std::string mistake(const Flags& flags) {
  if (!flags.name.empty()) {
    if (auto fine = check_name("--name", flags.name); !fine) return fine.error().message;
  }
  if (!flags.log_level.empty()) {
    auto level = observe::from_text(flags.log_level, std::type_identity<observe::Level>{});
    if (!level) return "--log-level (WEFT_LOG_LEVEL): " + level.error().message;
  }
  if (!flags.log_format.empty() && flags.log_format != "automatic" && flags.log_format != "json" &&
      flags.log_format != "text")
    return "--log-format (WEFT_LOG_FORMAT): '" + flags.log_format + "' is none; wanted automatic, json or text";
  return {};
}

}  // namespace

std::variant<Flags, int> parse_flags(int argc, char** argv, const About& about) {
  const std::string path = argc > 0 ? argv[0] : about.agent;
  const std::string program = path.substr(path.rfind('/') + 1);
  Flags flags;
  CLI::App app(about.summary, program);
  app.set_version_flag("--version", program + " " + about.version, "print the version");
  app.set_help_flag("-h,--help", "print this help");
  app.footer(examples(program));
  app.allow_extras();
  add_flags(app, flags);
  std::string wrong;
  try {
    app.parse(argc, argv);
    wrong = app.remaining().empty() ? mistake(flags) : unexpected(app.remaining().front(), app);
  } catch (const CLI::CallForHelp&) {
    return std::fputs(app.help().c_str(), stdout) < 0 ? exit_code::failed : exit_code::ok;
  } catch (const CLI::CallForVersion&) {
    return std::printf("%s %s\n", program.c_str(), about.version.c_str()) < 0 ? exit_code::failed : exit_code::ok;
  } catch (const CLI::ParseError& failure) {
    wrong = failure.what();
  }
  if (wrong.empty()) return flags;
  std::fprintf(stderr, "%s: %s\nTry '%s --help'.\n", program.c_str(), wrong.c_str(), program.c_str());
  return exit_code::usage;
}

}  // namespace weft::program
