%% `erl -run bench_main main ROW N`: does the work of one row and prints one number. README.md says what each row is.
-module(bench_main).
-export([main/1]).

main([Row, N]) ->
    Work = list_to_atom(Row),
    Module = case lists:member({Work, 1}, bench_messages:module_info(exports)) of
        true -> bench_messages;
        false -> bench_lives
    end,
    {Pid, Monitor} = spawn_monitor(fun() -> exit({figure, Module:Work(list_to_integer(N))}) end),
    receive
        {'DOWN', Monitor, process, Pid, {figure, Figure}} -> io:format("~w~n", [Figure]), halt(0);
        {'DOWN', Monitor, process, Pid, Reason} -> io:format(standard_error, "~p~n", [Reason]), halt(1)
    end.
