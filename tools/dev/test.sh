# shellcheck shell=bash
# ./dev test: builds and runs suites, then counts test cases.

verb_test() {
  local sanitize='' fuzz='' suites=() folder=build retries='' single=''
  for word in "$@"; do
    case $word in
      --sanitize=address | --sanitize=undefined | --sanitize=thread) sanitize=${word#*=} ;;
      --fuzz) fuzz=yes ;;
      unit | mesh | system | hosts | rules | instructions) suites+=("$word") ;;
      unit/* | mesh/* | system/* | hosts/* | rules/* | examples/*) suites+=("$word") single=yes ;;
      *) usage "test: what is '$word'? Suites: unit mesh system hosts rules instructions; one of a suite: unit/net. Flags: --sanitize=address|undefined|thread --fuzz" ;;
    esac
  done
  if [[ -n $single && " ${suites[*]} " =~ \ [a-z]+\  ]]; then usage "test: name whole suites or single ones, not both: ${suites[*]}"; fi
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
    if [[ " ${suites[*]} " =~ \ (system|hosts|rules|instructions) ]]; then build_products; else configure build; fi
  fi
  [[ -n $sanitize$fuzz ]] || retries=yes # a sanitizer's finding counts also when it comes once
  run_suites "$folder" "${suites[@]}"
}

# special_build FOLDER SANITIZERS OPTION...: sanitizers come with the newest clang, which knows more of them than gcc 12.
special_build() {
  local folder=$1 sanitizers=$2
  shift 2
  CXX=$(newest_clang) CC=$(newest_clang | sed 's/++//') configure "$folder" -Db_sanitize="$sanitizers" -Db_lundef=false \
    -Dbench=disabled -Doptimization=1 -Ddebug=true "$@"
}

# run_suites FOLDER SUITE...: builds what these suites (unit, or single ones: unit/net) need, and runs them, as many at a
# time as there are cores; one that measures time runs alone. With `retries` set, a few suites that failed and depend
# on time run a second time, alone; the summary says so.
run_suites() {
  local folder=$1 again=() wanted=()
  shift
  local reports=$PWD/$folder/test-reports logs=$folder/meson-logs
  rm -rf "$reports" "$logs"/testlog*.json
  mkdir -p "$reports/second"
  step "suites: $*"
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  export TSAN_OPTIONS=halt_on_error=1:suppressions=$PWD/tests/support/thread_sanitizer.txt
  if [[ $1 == */* ]]; then wanted=("$@"); else wanted=("${@/#/--suite=}"); fi
  WEFT_TEST_REPORTS=$reports meson test -C "$folder" --print-errorlogs "${wanted[@]}" </dev/null || true
  [[ -n ${retries:-} ]] && mapfile -t again < <(python3 tests/support/summary.py --retry "$logs/testlog.json")
  if [[ -n ${again[*]} ]]; then
    step "a second run, alone: ${again[*]}"
    WEFT_TEST_REPORTS=$reports/second meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes=1 \
      --logbase=testlog-second "${again[@]}" </dev/null || true
  fi
  python3 tests/support/summary.py "$logs/testlog.json" "$reports" "$logs/testlog-second.json" "$reports/second"
}
