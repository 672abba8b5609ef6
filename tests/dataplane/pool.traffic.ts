import { describeRows } from './describeRows';
import { persistenceRows } from './rows/persistence';
import { poolRows } from './rows/pool';

describeRows('pools', [...poolRows, ...persistenceRows], { vipCidr: '127.111.0.0/24' });
