/** What is seldom needed at once: it is fetched when the page is shown, or when the first of it is asked for. */
import './actions/confirm';
import './actions/deploy';
import './actions/key';
import './parts/evidence';

export { empty } from './views/empty';
export { notifications } from './views/notifications';
