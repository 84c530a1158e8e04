CREATE OR REPLACE TEMPORARY VIEW emp AS SELECT * FROM VALUES
  (1, 'sales', 1200.50, DATE'2020-01-15', NULL), (2, 'sales', 900.00, DATE'2021-03-14', 1), (3, 'dev', 2000.00, DATE'2019-12-31', 1),
  (4, 'dev', NULL, DATE'2022-02-28', 3), (5, NULL, 750.25, NULL, 3), (6, 'ops', 750.25, DATE'2021-03-14', 9), (6, 'ops', 0.00, DATE'1582-10-04', NULL),
  (NULL, 'Dev', 12345678.91, DATE'9999-12-31', 2) AS t(id, dept, sal, hired, boss);
CREATE OR REPLACE TEMPORARY VIEW dept AS SELECT * FROM VALUES
  ('sales', 'Rome', 10000L), ('dev', 'Oslo', 9223372036854775807L), ('ops', NULL, -5L), ('law', 'Rome', 0L), (NULL, 'Nice', NULL) AS t(name, city, budget);
CREATE OR REPLACE TEMPORARY VIEW ev AS SELECT * FROM VALUES
  (1, TIMESTAMP'2021-03-14 01:30:00', 1.5D, 'a'), (1, TIMESTAMP'2021-03-14 03:30:00', double('NaN'), 'b'), (2, TIMESTAMP'2021-11-07 00:30:00', double('-0.0'), 'a'),
  (2, TIMESTAMP'2021-11-07 02:30:00', 0.0D, NULL), (3, NULL, double('Infinity'), 'c'), (3, TIMESTAMP'1969-12-31 23:59:59.5', NULL, 'C'),
  (NULL, TIMESTAMP'2024-02-29 12:00:00', -2.25D, '') AS t(k, ts, v, tag);
CREATE OR REPLACE TEMPORARY VIEW nest AS SELECT * FROM VALUES
  (1, array(3, 1, 2), map('a', 1, 'b', 2), named_struct('x', 1, 'y', 'p'), array(array('q'), array())), (2, array(NULL, 5), map('a', NULL), named_struct('x', NULL, 'y', ''), array(NULL)),
  (3, array(), map(), NULL, NULL), (4, NULL, NULL, named_struct('x', -7, 'y', NULL), array(array('r', NULL), array('s'))) AS t(id, xs, m, s, xss);
CREATE OR REPLACE TEMPORARY VIEW none AS SELECT id AS a, CAST(id AS STRING) AS b, CAST(id AS DECIMAL(10,2)) AS c FROM range(0);
