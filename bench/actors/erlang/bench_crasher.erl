%% A gen_server that crashes when it is asked to.
-module(bench_crasher).
-behaviour(gen_server).
-export([start_link/1, init/1, handle_call/3, handle_cast/2]).

start_link(Client) -> gen_server:start_link(?MODULE, Client, []).

init(Client) ->
    Client ! {born, self()},
    {ok, Client}.

handle_call(_, _, Client) -> {reply, ok, Client}.
handle_cast(crash, _) -> error(asked_to).
