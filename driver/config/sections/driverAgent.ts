import { integer, list, port, seconds, text } from '../options';
import { section } from '../section';

const requests = (what: string) => integer(50, [1, 10_000], `${what} answered at a time; more wait.`);
const timeout = () => seconds(5, 'How long a request may take to come.', 0.1);

export const driver_agent = section(
  'The sockets of `slipstream driver-agent`, which agents of other provider drivers on this host use by octavia-lib.',
  {
    external_providers: list(
      [],
      'Providers whose load balancers are carried out by somebody else: their agents may write statuses and counters, and our workers leave them alone. Every other load balancer can only be read.',
    ),
    status_socket_path: text('/var/run/octavia/status.sock', 'Takes statuses.'),
    stats_socket_path: text('/var/run/octavia/stats.sock', 'Takes counters of listeners.'),
    get_socket_path: text('/var/run/octavia/get.sock', 'Gives objects.'),
    status_request_timeout: timeout(),
    stats_request_timeout: timeout(),
    get_request_timeout: timeout(),
    status_max_processes: requests('Statuses'),
    stats_max_processes: requests('Reports of counters'),
    get_max_processes: requests('Objects'),
    metrics_port: port(9880, 'Port of `/healthcheck` and `/metrics` of the driver agent.'),
  },
  ['max_process_warning_percent', 'provider_agent_shutdown_timeout', 'enabled_provider_agents'],
);
