%% What messages cost in Erlang: throughput, round trips, delivery under load, timers.
-module(bench_messages).
-behaviour(gen_server).
-export([ping_pong/1, one_way/1, fan_in_100/1, request_reply/1, latency_loaded/1, idle_cpu/1]).
-export([init/1, handle_call/3, handle_cast/2]).

-define(WINDOW, 10000).
-define(CREDIT, 1000).
-define(LATEST_US, 100000).

ping_pong(N) -> warmed(N, fun play/1).
one_way(N) -> warmed(N, fun stream/1).
fan_in_100(N) -> warmed(N, fun fan_in/1).
request_reply(N) -> warmed(N, fun ask/1).
latency_loaded(N) -> warmed(N, fun delivery_p99/1).

warmed(N, Work) ->
    Work(N div 10),
    Work(N).

rate(N, Start) -> N * 1.0e9 / (erlang:monotonic_time(nanosecond) - Start).

now_ns() -> erlang:monotonic_time(nanosecond).

%% Each returns the ball, one less, until it says 0.
play(N) ->
    Main = self(),
    A = spawn_link(fun() -> receive Peer -> player(Peer, Main) end end),
    B = spawn_link(fun() -> player(A, Main) end),
    Start = now_ns(),
    A ! B,
    A ! N,
    receive over -> rate(N, Start) end.

player(Peer, Main) ->
    receive
        0 -> Main ! over;
        Ball -> Peer ! Ball - 1, player(Peer, Main)
    end.

%% Never has more than ?WINDOW messages under way: the receiver gives credit by the thousand.
stream(N) ->
    Main = self(),
    Start = now_ns(),
    spawn_on(1, fun() -> Self = self(), send(spawn_on(2, fun() -> count(Main, Self, N) end), N, ?WINDOW) end),
    receive over -> rate(N, Start) end.

%% Each yields after a hundred messages, so that the receiver's mailbox does not grow without end.
fan_in(N) ->
    Main = self(),
    Counter = spawn_link(fun() -> count(Main, none, N) end),
    Senders = [spawn_link(fun() -> receive go -> send(Counter, N div 100, N) end end) || _ <- lists:seq(1, 100)],
    Start = now_ns(),
    [Sender ! go || Sender <- Senders],
    receive over -> rate(N, Start) end.

count(Main, _, 0) -> Main ! over;
count(Main, Sender, Left) ->
    receive Item when is_integer(Item) -> ok end,
    Sender =/= none andalso Left rem ?CREDIT =:= 0 andalso (Sender ! credit),
    count(Main, Sender, Left - 1).

send(_, 0, _) -> ok;
send(To, Left, 0) -> receive credit -> send(To, Left, ?CREDIT) end;
send(To, Left, Window) ->
    To ! Left,
    Left rem 100 =:= 0 andalso erlang:yield(),
    send(To, Left - 1, Window - 1).

%% Where the row is about two workers: left alone, Erlang would run both processes on one.
spawn_on(Scheduler, Work) -> spawn_opt(Work, [link, {scheduler, Scheduler}]).

%% A round trip as Erlang programs make it: a call of a gen_server.
ask(N) ->
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    Start = now_ns(),
    ask(Server, N),
    Time = now_ns() - Start,
    gen_server:stop(Server),
    Time / N.

ask(_, 0) -> ok;
ask(Server, N) -> ask(Server, gen_server:call(Server, N) - 1).

init([]) -> {ok, []}.
handle_call(N, _, State) -> {reply, N, State}.
handle_cast(_, State) -> {noreply, State}.

%% A message is due each microsecond; notes how late each is handled.
delivery_p99(N) ->
    Main = self(),
    Delays = counters:new(?LATEST_US + 1, []),
    Listener = spawn_on(2, fun() -> listen(Main, N, Delays) end),
    spawn_on(1, fun() -> beat(Listener, N, now_ns()) end),
    receive over -> p99(Delays, N - N div 100, 1) end.

listen(Main, 0, _) -> Main ! over;
listen(Main, Left, Delays) ->
    receive {due, Due} -> counters:add(Delays, min((now_ns() - Due) div 1000, ?LATEST_US) + 1, 1) end,
    listen(Main, Left - 1, Delays).

beat(_, 0, _) -> ok;
beat(To, Left, Due) ->
    case now_ns() of
        Now when Now < Due -> beat(To, Left, Due);
        Now -> beat_until(Now, To, Left, Due)
    end.

beat_until(Now, To, Left, Due) when Left > 0, Due =< Now ->
    To ! {due, Due},
    beat_until(Now, To, Left - 1, Due + 1000);
beat_until(_, To, Left, Due) -> beat(To, Left, Due).

p99(Delays, Wanted, Us) ->
    case Wanted - counters:get(Delays, Us) of
        Left when Left > 0, Us =< ?LATEST_US -> p99(Delays, Left, Us + 1);
        _ -> Us
    end.

%% Processes that have a timer each second.
idle_cpu(N) ->
    [spawn_link(fun() -> erlang:send_after(I rem 1000, self(), tick), sleeper() end) || I <- lists:seq(1, N)],
    timer:sleep(1200),
    Before = cpu_seconds(),
    Start = now_ns(),
    timer:sleep(3000),
    100 * (cpu_seconds() - Before) / ((now_ns() - Start) / 1.0e9).

sleeper() ->
    receive tick -> erlang:send_after(1000, self(), tick) end,
    sleeper().

%% /proc counts in hundredths of a second; utime and stime are the 12th and 13th after the name.
cpu_seconds() ->
    {ok, Text} = file:read_file("/proc/self/stat"),
    [_, Rest] = string:split(Text, ") ", trailing),
    Fields = string:lexemes(Rest, " "),
    (binary_to_integer(lists:nth(12, Fields)) + binary_to_integer(lists:nth(13, Fields))) / 100.
