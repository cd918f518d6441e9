/** The page's elements, and its theme. */
import './parts/ticking';
import './app';

const theme = localStorage.getItem('teal.theme');
if (theme) document.documentElement.dataset.theme = theme;
