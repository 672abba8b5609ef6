import { z } from 'zod';
import type { ValuesOf } from './section';
import { api_settings, cors, haproxy_amphora, networking, oslo_policy, quotas } from './sections/api';
import { certificates, contrail, glance, keystone_authtoken, neutron, nova, service_auth } from './sections/clouds';
import { controller_worker, health_manager, house_keeping, service_engine } from './sections/control';
import { driver_agent } from './sections/driverAgent';
import { oslo_messaging, oslo_messaging_notifications, oslo_messaging_rabbit } from './sections/messaging';
import { database, defaults, embedded, oslo_middleware } from './sections/process';

/** Every section there is, under its name in the file and in the order of the documentation. */
export const sections = {
  DEFAULT: defaults,
  api_settings,
  database,
  controller_worker,
  health_manager,
  house_keeping,
  service_engine,
  networking,
  quotas,
  haproxy_amphora,
  driver_agent,
  oslo_messaging,
  oslo_messaging_rabbit,
  oslo_messaging_notifications,
  oslo_middleware,
  oslo_policy,
  cors,
  embedded,
  keystone_authtoken,
  service_auth,
  nova,
  neutron,
  glance,
  certificates,
  contrail,
};

export type SectionName = keyof typeof sections;

/** What is in force, by section and option as they are named in the file. Times in seconds unless an option says otherwise. */
export type Config = { readonly [S in SectionName]: ValuesOf<(typeof sections)[S]> };

export const sectionNames = Object.keys(sections) as SectionName[];

/** The zod schema of one section: text by option in, typed values out. */
export function schemaOf(name: SectionName): z.ZodObject {
  return z.object(Object.fromEntries(Object.entries(sections[name].options).map(([key, { schema }]) => [key, schema])));
}
