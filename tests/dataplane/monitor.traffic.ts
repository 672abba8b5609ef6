import { describeRows } from './describeRows';
import { monitorRows } from './rows/monitor';
import { monitorRequestRows } from './rows/monitorRequest';

describeRows('health monitors', [...monitorRows, ...monitorRequestRows], { vipCidr: '127.113.0.0/24' });
