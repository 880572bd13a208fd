import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { Public } from './public.js';
import './styles/tokens.css';
import './styles/frame.css';
import './styles/parts.css';

const isPublic = /^\/status\/?$/.test(location.pathname);

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>{isPublic ? <Public /> : <App />}</StrictMode>,
);
