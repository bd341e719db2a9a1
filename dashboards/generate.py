#!/usr/bin/env python3
"""Writes the Grafana dashboards of grafana/ from the tables below; --check only compares (a house rule runs it).

A panel is (title, what it tells, unit, [(legend, expression)]). `$sel` in an expression is the choice of job, host and agent.
"""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent / "grafana"
SELECTION = 'job="$job",host=~"$host",agent=~"$agent"'
# The bus of a host and the hub both count an event; its host, agent, severity and code are labels of the event itself.
ERROR_RATE = "sum by ({}) (max by (host, agent, severity, code) (rate(weft_error_events_total{{$sel}}[$__rate_interval])))"

OVERVIEW = [
    ("Processes up", "Processes that answer a scrape, of all that the registries know.", "short", [
        ("up", 'sum(up{$sel})'), ("known", 'count(up{$sel})')]),
    ("Requests a second", "Requests handled, by agent.", "reqps", [("{{agent}}", "sum by (agent) (rate(weft_requests_total{$sel}[$__rate_interval]))")]),
    ("Failed requests", "Share of requests that were answered with an error, by agent.", "percentunit", [
        ("{{agent}}", 'sum by (agent) (rate(weft_requests_total{$sel,code!="ok"}[$__rate_interval])) / sum by (agent) (rate(weft_requests_total{$sel}[$__rate_interval]))')]),
    ("Time to handle a request", "99th percentile by agent.", "s", [
        ("{{agent}}", "histogram_quantile(0.99, sum by (agent, le) (rate(weft_request_duration_seconds_bucket{$sel}[$__rate_interval])))")]),
    ("Events a second", "Events published and received.", "short", [
        ("published by {{agent}}", "sum by (agent) (rate(weft_events_published_total{$sel}[$__rate_interval]))"),
        ("received by {{agent}}", "sum by (agent) (rate(weft_events_received_total{$sel}[$__rate_interval]))")]),
    ("Messages lost", "By class and reason; nothing is the wanted answer.", "short", [
        ("{{agent}} {{class}} {{reason}}", "sum by (agent, class, reason) (rate(weft_messages_dropped_total{$sel}[$__rate_interval])) > 0")]),
    ("Losses without a reason", "Events known to be lost and not explained yet, at their subscriber; nothing is the wanted answer.", "short", [
        ("{{agent}} on {{host}}", "weft_events_unexplained{$sel} > 0")]),
    ("Open circuits", "Targets that a caller has stopped calling at some instance; nothing is the wanted answer.", "short", [
        ("{{target}} from {{agent}} on {{host}}", 'weft_circuit_breaker_state{$sel,state="open"} == 1')]),
    ("Errors a second", "By severity; an event that two buses have is counted once.", "short", [("{{severity}}", ERROR_RATE.format("severity"))]),
    ("Not registered", "Processes whose lease no registry holds.", "short", [("{{agent}} on {{host}}", "weft_registered{$sel} == 0")]),
]
AGENT = [
    ("Requests by method", "", "reqps", [("{{endpoint}}", "sum by (endpoint) (rate(weft_requests_total{$sel}[$__rate_interval]))")]),
    ("Answers by code", "", "reqps", [("{{code}}", "sum by (code) (rate(weft_requests_total{$sel}[$__rate_interval]))")]),
    ("Time to handle, p50", "By method.", "s", [
        ("{{endpoint}}", "histogram_quantile(0.5, sum by (endpoint, le) (rate(weft_request_duration_seconds_bucket{$sel}[$__rate_interval])))")]),
    ("Time to handle, p99", "By method.", "s", [
        ("{{endpoint}}", "histogram_quantile(0.99, sum by (endpoint, le) (rate(weft_request_duration_seconds_bucket{$sel}[$__rate_interval])))")]),
    ("Requests being handled", "", "short", [("{{agent}} on {{host}}", "weft_requests_in_flight{$sel}")]),
    ("Calls to others", "By target and outcome.", "reqps", [("{{target}} {{code}}", "sum by (target, code) (rate(weft_calls_total{$sel}[$__rate_interval]))")]),
    ("Time until others answer, p99", "By target.", "s", [
        ("{{target}}", "histogram_quantile(0.99, sum by (target, le) (rate(weft_call_duration_seconds_bucket{$sel}[$__rate_interval])))")]),
    ("Messages", "Sent and received.", "short", [
        ("sent {{class}}", "sum by (class) (rate(weft_messages_sent_total{$sel}[$__rate_interval]))"),
        ("received {{class}}", "sum by (class) (rate(weft_messages_received_total{$sel}[$__rate_interval]))")]),
    ("Event handlers that threw", "", "short", [("{{agent}} on {{host}}", "rate(weft_event_handler_failures_total{$sel}[$__rate_interval])")]),
    ("Registrations", "More than one an instance: the registry was away or the lease was lost.", "short", [
        ("{{agent}} on {{host}}", "weft_registrations_total{$sel}")]),
]
ERRORS = [
    ("Errors a second by severity", "Of the chosen hosts and agents; an event that two buses have is counted once.", "short", [
        ("{{severity}}", ERROR_RATE.format("severity"))]),
    ("Errors a second by agent", "", "short", [("{{agent}}", ERROR_RATE.format("agent"))]),
    ("Errors a second by code", "", "short", [("{{code}}", ERROR_RATE.format("code"))]),
    ("Errors that never reached a bus", "By reason; nothing is the wanted answer.", "short", [
        ("{{agent}} on {{host}}: {{reason}}", "rate(weft_errors_dropped_total{$sel}[$__rate_interval]) > 0")]),
    ("Only counted", "Errors of which the number was reported and one sample for each issue, since there were too many; by reason.", "short", [
        ("{{agent}} on {{host}}: {{reason}}", "rate(weft_errors_folded_total{$sel}[$__rate_interval]) > 0")]),
    ("Not acknowledged yet", "Errors that the bus of the host has not acknowledged.", "short", [
        ("{{agent}} on {{host}}", "weft_errors_unacknowledged{$sel}")]),
    ("Issues by state", "Groups of like events.", "short", [("{{state}}", 'sum by (state) (weft_error_issues{job="$job",host=~"$host"})')]),
    ("Waiting to be forwarded", "Events that the hub has not acknowledged.", "short", [("{{host}}", 'weft_error_relay_pending{job="$job",host=~"$host"}')]),
    ("Forwarded", "Events acknowledged by the hub.", "short", [("{{host}}", 'rate(weft_error_relayed_total{job="$job",host=~"$host"}[$__rate_interval])')]),
    ("Duplicates and refusals", "A duplicate was there by id and counted once.", "short", [
        ("duplicate {{host}}", 'rate(weft_error_duplicates_total{job="$job",host=~"$host"}[$__rate_interval])'),
        ("refused {{host}}", 'rate(weft_error_rejected_total{job="$job",host=~"$host"}[$__rate_interval])')]),
    ("Journal", "Size on disk.", "bytes", [("{{host}}", 'weft_error_journal_bytes{job="$job",host=~"$host"}')]),
    ("Waiting on disk", "Of an agent: for the bus of its host; of a bus: for the hub.", "bytes", [("{{agent}} on {{host}}", "weft_error_spool_bytes{$sel}")]),
]
REGISTRY = [
    ("Agents without a live instance", "By what the registries know together; nothing is the wanted answer.", "short", [
        ("{{agent}} on {{host}}", 'max by (agent, host) (weft_agent_up{$sel}) == 0')]),
    ("Versions", "Instances by agent and version; two versions of one agent meet during an update.", "short", [
        ("{{agent}} {{version}}", "count by (agent, version) (max by (agent, host, version) (weft_agent_info{$sel}) == 1)")]),
    ("Instances by registry", "Confirmed and unconfirmed are registered there, replicated elsewhere.", "short", [
        ("{{state}} at {{instance}}", 'weft_registry_instances{job="$job"}')]),
    ("Peers", "1 while a registry hears the other.", "short", [("{{host}} hears {{peer}}", 'weft_registry_peer_up{job="$job"}')]),
    ("Leases that ended", "Instances that nobody renewed.", "short", [("{{host}}", 'rate(weft_registry_lease_expired_total{job="$job"}[$__rate_interval])')]),
    ("Registrations", "By outcome.", "short", [
        ("{{outcome}}", 'sum by (outcome) (rate(weft_registry_registrations_total{job="$job"}[$__rate_interval]))')]),
    ("Renewals", "By outcome.", "short", [("{{outcome}}", 'sum by (outcome) (rate(weft_registry_renewals_total{job="$job"}[$__rate_interval]))')]),
    ("Resyncs", "Snapshots taken again, by peer.", "short", [("{{peer}}", 'rate(weft_registry_resyncs_total{job="$job"}[$__rate_interval])')]),
    ("Writes to the store that failed", "", "short", [("{{host}}", 'rate(weft_registry_store_errors_total{job="$job"}[$__rate_interval])')]),
]
PROCESSES = [
    ("CPU", "Seconds of CPU a second, by process.", "percentunit", [("{{agent}} on {{host}}", "rate(process_cpu_seconds_total{$sel}[$__rate_interval])")]),
    ("Memory", "Resident.", "bytes", [("{{agent}} on {{host}}", "process_resident_memory_bytes{$sel}")]),
    ("Open files", "", "short", [("{{agent}} on {{host}}", "process_open_fds{$sel}")]),
    ("Open files, of those allowed", "", "percentunit", [("{{agent}} on {{host}}", "process_open_fds{$sel} / process_max_fds{$sel}")]),
    ("Threads", "", "short", [("{{agent}} on {{host}}", "process_threads{$sel}")]),
    ("Running for", "Since the start of the process; a fall is a restart.", "s", [("{{agent}} on {{host}}", "time() - process_start_time_seconds{$sel}")]),
]
ACTORS = [
    ("Live actors", "By agent, its own handlers among them.", "short", [("{{agent}} on {{host}}", "weft_actors{$sel}")]),
    ("Messages handled a second", "By agent.", "short", [
        ("{{agent}}", "sum by (agent) (rate(weft_actor_messages_handled_total{$sel}[$__rate_interval]))")]),
    ("Failures a second", "Exceptions that left handlers or hooks of actors.", "short", [
        ("{{agent}} on {{host}}", "rate(weft_actor_failures_total{$sel}[$__rate_interval])")]),
    ("Restarts a second", "By supervisors; fewer than failures: somebody waits for its delay, or was given up.", "short", [
        ("{{agent}} on {{host}}", "rate(weft_actor_restarts_total{$sel}[$__rate_interval])")]),
    ("Given up", "Since the start of the process; nothing is the wanted answer. `weft tree` shows who.", "short", [
        ("{{agent}} on {{host}}", "weft_actor_gave_up_total{$sel} > 0")]),
    ("Messages that wait", "In mailboxes, over all actors of an agent.", "short", [("{{agent}} on {{host}}", "weft_actors_mailbox_depth{$sel}")]),
    ("Messages that reached no handler", "By reason; `late` answers are of requests whose time was over.", "short", [
        ("{{agent}} {{reason}}", "sum by (agent, reason) (rate(weft_actor_messages_dropped_total{$sel}[$__rate_interval])) > 0")]),
    ("Events too many for the error bus", "Failures that were counted but not reported.", "short", [
        ("{{agent}} on {{host}}", "rate(weft_actor_events_dropped_total{$sel}[$__rate_interval]) > 0")]),
    ("Mailboxes of named actors", "How full, of those that actors.metrics names and that have a limit.", "percentunit", [
        ("{{actor}} of {{agent}} on {{host}}", "weft_mailbox_depth{$sel} / (weft_mailbox_limit{$sel} > 0)")]),
    ("Oldest message of named actors", "How long it has waited, or been in hand.", "s", [
        ("{{actor}} of {{agent}} on {{host}}", "weft_mailbox_oldest_message_age_seconds{$sel}")]),
    ("Restarts of named actors", "", "short", [("{{actor}} of {{agent}} on {{host}}", "weft_actor_restarts{$sel}")]),
]
QUEUES = [
    ("Items that wait", "At their producers, by queue and priority.", "short", [
        ("{{queue}} {{priority}}", "sum by (queue, priority) (weft_queue_depth{$sel})")]),
    ("Items with a worker", "", "short", [("{{queue}}", "sum by (queue) (weft_queue_in_flight{$sel})")]),
    ("Oldest unfinished item", "Of any producer; it grows while nobody keeps up.", "s", [
        ("{{queue}}", "max by (queue) (weft_queue_oldest_item_age_seconds{$sel})")]),
    ("Live workers", "As each producer sees them.", "short", [("{{queue}} from {{agent}} on {{host}}", "weft_queue_workers{$sel}")]),
    ("Items accepted and done a second", "", "short", [
        ("{{queue}} accepted", "sum by (queue) (rate(weft_queue_pushed_total{$sel}[$__rate_interval]))"),
        ("{{queue}} done", "sum by (queue) (rate(weft_queue_finished_total{$sel}[$__rate_interval]))")]),
    ("Items given again", "By reason: an error code of the handler, or of the call that was to carry the item.", "short", [
        ("{{queue}} {{reason}}", "sum by (queue, reason) (rate(weft_queue_redelivered_total{$sel}[$__rate_interval])) > 0")]),
    ("Items refused", "By reason; who pushed was told.", "short", [
        ("{{queue}} {{reason}}", "sum by (queue, reason) (rate(weft_queue_refused_total{$sel}[$__rate_interval])) > 0")]),
    ("What unfinished items hold", "In memory, at their producers.", "bytes", [("{{queue}}", "sum by (queue) (weft_queue_bytes{$sel})")]),
    ("Dead letters", "Kept for a person: weft dlq list. Nothing is the wanted answer.", "short", [
        ("{{queue}} at {{agent}} on {{host}}", "weft_dlq_messages{$sel} > 0")]),
    ("Items given up a second", "By reason.", "short", [
        ("{{queue}} {{reason}}", "sum by (queue, reason) (rate(weft_queue_dead_letters_total{$sel}[$__rate_interval])) > 0")]),
    ("Dead letters dropped", "There were more than dead_letters_max; nothing is the wanted answer.", "short", [
        ("{{queue}} at {{agent}} on {{host}}", "rate(weft_dlq_dropped_total{$sel}[$__rate_interval]) > 0")]),
    ("Items handled a second", "At the workers, by outcome.", "short", [
        ("{{agent}}.{{endpoint}} {{outcome}}", "sum by (agent, endpoint, outcome) (rate(weft_queue_items_handled_total{$sel}[$__rate_interval]))")]),
    ("Items being handled", "At the workers.", "short", [("{{agent}}.{{endpoint}} on {{host}}", "weft_queue_items_running{$sel}")]),
    ("Stuck workers", "An item is past its time limit there, so it takes no more.", "short", [
        ("{{agent}}.{{endpoint}} on {{host}}", "weft_queue_worker_stuck{$sel} == 1")]),
]
DASHBOARDS = {
    "weft-overview": ("Weft: mesh", OVERVIEW),
    "weft-agent": ("Weft: agents", AGENT),
    "weft-actors": ("Weft: supervision and actors", ACTORS),
    "weft-queues": ("Weft: work queues", QUEUES),
    "weft-registry": ("Weft: registry", REGISTRY),
    "weft-errors": ("Weft: error bus", ERRORS),
    "weft-processes": ("Weft: processes", PROCESSES),
}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def panel(number, title, text, unit, queries):
    return {
        "id": number + 1, "type": "timeseries", "title": title, "description": text, "datasource": SOURCE,
        "gridPos": {"x": 12 * (number % 2), "y": 8 * (number // 2), "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [{"refId": chr(65 + i), "datasource": SOURCE, "legendFormat": legend, "expr": expression.replace("$sel", SELECTION)}
                    for i, (legend, expression) in enumerate(queries)],
    }


def choice(name, query, many=True):
    return {"name": name, "label": name, "type": "query", "datasource": SOURCE, "query": query, "definition": query, "refresh": 2,
            "includeAll": many, "multi": many, "allValue": ".*" if many else None, "sort": 1}


def dashboard(uid, title, panels):
    variables = [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "source"},
                 choice("job", "label_values(weft_build_info, job)", many=False),
                 choice("host", 'label_values(weft_build_info{job="$job"}, host)'),
                 choice("agent", 'label_values(weft_build_info{job="$job",host=~"$host"}, agent)')]
    return {"uid": uid, "title": title, "tags": ["weft"], "schemaVersion": 38, "version": 1, "editable": False, "refresh": "10s",
            "time": {"from": "now-30m", "to": "now"}, "timezone": "", "templating": {"list": variables},
            "links": [{"type": "dashboards", "tags": ["weft"], "title": "Weft", "asDropdown": True, "includeVars": True, "keepTime": True}],
            "panels": [panel(i, *one) for i, one in enumerate(panels)]}


def main():
    wanted = {FOLDER / f"{uid}.json": json.dumps(dashboard(uid, *rest), indent=1) + "\n" for uid, rest in DASHBOARDS.items()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        print("\n".join(f"{path} is not what generate.py writes" for path in stale))
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
