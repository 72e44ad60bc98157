create table item as select i id, 'name ' || (i::bigint * 7919 % 5003) n, i * 31 % 1009 v,
    md5(i::text) m from generate_series(1, 60000) i;
create index on item (n, v);
create index on item using gin (to_tsvector('simple', m || ' ' || n));
analyze item;
set work_mem = '1MB';
set max_parallel_workers_per_gather = 2;
select count(*), sum(v), min(m), max(n) from item;
select n, count(*), string_agg(m, ',' order by id) from item where v < 20 group by n order by 2 desc, 1 limit 3;
select count(*), sum(a.v * b.v) from item a join item b on a.n = b.n and a.id < b.id;
select * from (select id, v, rank() over (partition by v order by m) r from item) s where r = 40 order by id limit 5;
with recursive r (i, j) as (values (1, '{}'::jsonb) union all select i + 1, j || jsonb_build_object('k' || i, i * i) from r where i < 300)
    select length(j::text), md5(j::text) from r order by i desc limit 1;
select md5(string_agg(m, '' order by m desc)) from item;
select count(*) from item where to_tsvector('simple', m || ' ' || n) @@ to_tsquery('simple', 'name & 77');
create function f (n int) returns text language plpgsql as $$
declare s text := ''; r record;
begin
    for r in select * from item where id <= n order by id loop
        begin
            if r.id % 50 = 0 then raise exception 'no %', r.id; end if;
            s := s || chr(97 + r.v % 26);
        exception when others then s := s || '!';
        end;
    end loop;
    return md5(s);
end $$;
select f(5000);
select count(*) from regexp_matches((select string_agg(m, '' order by id) from item where id < 3000), '([a-f])(\d+)\1', 'g');
