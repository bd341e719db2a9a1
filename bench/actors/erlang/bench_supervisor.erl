%% A supervisor whose one child tells a client when it is there.
-module(bench_supervisor).
-behaviour(supervisor).
-export([start_link/1, init/1]).

start_link(Client) -> supervisor:start_link(?MODULE, Client).

init(Client) ->
    Child = #{id => crasher, start => {bench_crasher, start_link, [Client]}, restart => permanent},
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, [Child]}}.
