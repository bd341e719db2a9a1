# shellcheck shell=bash
# ./dev test: builds and runs suites, then counts test cases.

verb_test() {
  local sanitize='' fuzz='' suites=() folder=build
  for word in "$@"; do
    case $word in
      --sanitize=address | --sanitize=undefined | --sanitize=thread) sanitize=${word#*=} ;;
      --fuzz) fuzz=yes ;;
      unit | mesh | system | hosts | rules | instructions) suites+=("$word") ;;
      *) usage "test: what is '$word'? Suites: unit mesh system hosts rules instructions. Flags: --sanitize=address|undefined|thread --fuzz" ;;
    esac
  done
  if [[ -n $fuzz ]]; then
    folder=build-fuzz suites=(fuzz)
    need build test sanitize
    special_build "$folder" address,undefined -Dfuzz=enabled
  elif [[ -n $sanitize ]]; then
    folder=build-$sanitize
    [[ ${#suites[@]} == 0 ]] && suites=(unit mesh)
    need build test sanitize
    special_build "$folder" "$sanitize"
  else
    [[ ${#suites[@]} == 0 ]] && suites=(unit mesh rules instructions system hosts)
    need build test run
    build_products
  fi
  run_suites "$folder" "${suites[@]}"
}

# special_build FOLDER SANITIZERS OPTION...: sanitizers come with the newest clang, which knows more of them than gcc 12.
special_build() {
  local folder=$1 sanitizers=$2
  shift 2
  CXX=$(newest_clang) CC=$(newest_clang | sed 's/++//') configure "$folder" -Db_sanitize="$sanitizers" -Db_lundef=false \
    -Dbench=disabled -Doptimization=1 -Ddebug=true "$@"
}

run_suites() {
  local folder=$1
  shift
  local reports=$PWD/$folder/test-reports log=$folder/meson-logs/testlog.json
  rm -rf "$reports" "$log"
  mkdir -p "$reports"
  step "suites: $*"
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  export TSAN_OPTIONS=halt_on_error=1:suppressions=$PWD/tests/support/thread_sanitizer.txt
  WEFT_TEST_REPORTS=$reports meson test -C "$folder" --print-errorlogs "${@/#/--suite=}" </dev/null || true
  python3 tests/support/summary.py "$log" "$reports"
}
