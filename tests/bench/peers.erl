%% SPDX-License-Identifier: Apache-2.0
%%
%% Erlang's side of the benchmark: the same work as our agents do, in the plain idiom of OTP. Prints one line
%% a figure: `name value unit`. Usage: erl -noshell -s peers main NAME [COUNT] [PAIRS]
-module(peers).
-behaviour(supervisor).
-export([main/1, init/1, start_child/0]).

main([Name | Rest]) ->
  run(atom_to_list(Name), [list_to_integer(atom_to_list(X)) || X <- Rest]),
  halt(0).

%% One process calls another: a message there and one back, with a monitor-free reference, as the fastest
%% plain Erlang does it.
run("round_trip", [N, Pairs]) ->
  Us = timed(fun() ->
    Self = self(),
    Pids = [spawn(fun() -> ping(Self, N) end) || _ <- lists:seq(1, Pairs)],
    [receive {done, P} -> ok end || P <- Pids]
  end),
  io:format("round_trip ~.4f us~n", [Us / (N * Pairs)]);

%% The same through gen_server:call, with monitor and deadline as OTP's users have it.
run("gen_call", [N, Pairs]) ->
  Us = timed(fun() ->
    Self = self(),
    Pids = [spawn(fun() -> caller(Self, N) end) || _ <- lists:seq(1, Pairs)],
    [receive {done, P} -> ok end || P <- Pids]
  end),
  io:format("gen_call ~.4f us~n", [Us / (N * Pairs)]);

run("many_senders", [N, Senders]) ->
  Self = self(),
  Us = timed(fun() ->
    Each = N div Senders,
    Sink = spawn(fun() -> sink(Self, Each * Senders) end),
    [spawn(fun() -> flood(Sink, Each) end) || _ <- lists:seq(1, Senders)],
    receive done -> ok end
  end),
  io:format("many_senders ~.4f M/s~n", [N / Us]);

run("start", [N]) ->
  Self = self(),
  Us = timed(fun() ->
    [begin
       P = spawn(fun() -> Self ! {up, self()}, receive stop -> ok end end),
       receive {up, P} -> ok end,
       P ! stop
     end || _ <- lists:seq(1, N)]
  end),
  io:format("start ~.4f us~n", [Us / N]);

run("memory", [N]) ->
  Before = erlang:memory(processes),
  Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)],
  timer:sleep(100),
  After = erlang:memory(processes),
  [P ! stop || P <- Pids],
  io:format("memory ~.2f kB~n", [(After - Before) / N / 1024]);

%% A crash until the supervisor has started the child anew.
run("crash_to_ready", [N]) ->
  error_logger:tty(false),
  logger:set_primary_config(level, none),
  {ok, _} = supervisor:start_link({local, peers_sup}, ?MODULE, N + 10),
  register(bench_main, self()),
  Total = lists:sum([crash_once() || _ <- lists:seq(1, N)]),
  io:format("crash_to_ready ~.4f us~n", [Total / N]);

run("nothing", []) -> ok.

crash_once() ->
  Child = whereis(peers_child),
  T0 = erlang:monotonic_time(nanosecond),
  Child ! crash,
  receive {ready, T1} -> (T1 - T0) / 1000 end.

init(Intensity) ->
  {ok, {#{strategy => one_for_one, intensity => Intensity, period => 3600},
        [#{id => child, start => {?MODULE, start_child, []}}]}}.

start_child() ->
  {ok, spawn_link(fun() ->
    register(peers_child, self()),
    case whereis(bench_main) of undefined -> ok; Main -> Main ! {ready, erlang:monotonic_time(nanosecond)} end,
    receive crash -> exit(crashed) end
  end)}.

timed(F) ->
  T0 = erlang:monotonic_time(nanosecond),
  F(),
  (erlang:monotonic_time(nanosecond) - T0) / 1000.

ping(Main, N) ->
  Pong = spawn_link(fun pong/0),
  loop(Pong, N),
  Pong ! stop,
  Main ! {done, self()}.

loop(_, 0) -> ok;
loop(Pong, N) ->
  Pong ! {self(), N},
  receive N -> loop(Pong, N - 1) end.

pong() ->
  receive
    {From, X} -> From ! X, pong();
    stop -> ok
  end.

caller(Main, N) ->
  {ok, Server} = peers_server:start(),
  [begin I = gen_server:call(Server, I) end || I <- lists:seq(1, N)],
  gen_server:stop(Server),
  Main ! {done, self()}.

sink(Main, 0) -> Main ! done;
sink(Main, N) -> receive _ -> sink(Main, N - 1) end.

flood(_, 0) -> ok;
flood(Sink, N) -> Sink ! {add, N}, flood(Sink, N - 1).
