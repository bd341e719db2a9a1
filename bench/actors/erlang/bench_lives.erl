%% What the lives of processes cost in Erlang: spawn, memory, skynet, restart.
-module(bench_lives).
-export([spawn/1, first_answer/1, memory_idle/1, skynet_1m/1, restart/1]).
-compile({no_auto_import, [spawn/1]}).

-define(BROOD, 1000).

spawn(N) -> warmed(N, fun() -> born_all(self()) end).
first_answer(N) -> warmed(N, fun() -> answered_all([], ?BROOD) end).

%% Broods of ?BROOD processes until N were born; the time in which a brood goes does not count.
warmed(N, Brood) ->
    broods(N div 10 div ?BROOD, Brood, 0),
    broods(N div ?BROOD, Brood, 0) / N.

broods(0, _, Total) -> Total;
broods(Left, Brood, Total) ->
    Start = erlang:monotonic_time(nanosecond),
    Pids = Brood(),
    Time = erlang:monotonic_time(nanosecond) - Start,
    Monitors = [monitor(process, Pid) || Pid <- Pids],
    [exit(Pid, kill) || Pid <- Pids],
    [receive {'DOWN', Monitor, _, _, _} -> ok end || Monitor <- Monitors],
    broods(Left - 1, Brood, Total + Time).

%% The last says that it was born; processes of one priority start in the order in which they were spawned.
born_all(Main) ->
    Pids = [erlang:spawn(fun echo/0) || _ <- lists:seq(2, ?BROOD)],
    Last = erlang:spawn(fun() -> Main ! born, echo() end),
    receive born -> [Last | Pids] end.

answered_all(Pids, 0) -> Pids;
answered_all(Pids, Left) ->
    Pid = erlang:spawn(fun echo/0),
    Pid ! {self(), Left},
    receive {Pid, Left} -> answered_all([Pid | Pids], Left - 1) end.

echo() -> receive {From, Item} -> From ! {self(), Item}, echo() end.

memory_idle(N) ->
    Main = self(),
    Before = resident_bytes(),
    [erlang:spawn(fun echo/0) || _ <- lists:seq(2, N)],
    erlang:spawn(fun() -> Main ! born, echo() end),
    receive born -> (resident_bytes() - Before) / N end.

resident_bytes() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    binary_to_integer(lists:nth(2, string:lexemes(Text, " "))) * 4096.

%% A leaf says its number, all others the sum of their ten children.
skynet_1m(N) ->
    Start = erlang:monotonic_time(nanosecond),
    Main = self(),
    erlang:spawn(fun() -> node(Main, 0, N) end),
    Sum = N * (N - 1) div 2,
    receive Sum -> (erlang:monotonic_time(nanosecond) - Start) / 1.0e6 end.

node(Parent, Number, 1) -> Parent ! Number;
node(Parent, Number, Size) ->
    Self = self(),
    Part = Size div 10,
    [erlang:spawn(fun() -> node(Self, Number + I * Part, Part) end) || I <- lists:seq(0, 9)],
    Parent ! sum(10, 0).

sum(0, Sum) -> Sum;
sum(Left, Sum) -> receive Part -> sum(Left - 1, Sum + Part) end.

%% The median of the times from a crash until the supervisor's next child is there.
restart(N) ->
    {ok, _} = bench_supervisor:start_link(self()),
    First = receive {born, Pid} -> Pid end,
    {Second, _} = crashes(First, N div 10, []),
    {_, Times} = crashes(Second, N, []),
    lists:nth(N div 2 + 1, lists:sort(Times)) / 1000.

crashes(Child, 0, Times) -> {Child, Times};
crashes(Child, Left, Times) ->
    Start = erlang:monotonic_time(nanosecond),
    gen_server:cast(Child, crash),
    receive {born, Next} -> crashes(Next, Left - 1, [erlang:monotonic_time(nanosecond) - Start | Times]) end.
