pragma cache_size = 400;
create table item (id integer primary key, name text, v integer, w real, b blob);
with recursive r (i, x) as (values (1, 12345) union all
    select i + 1, x * 16807 % 2147483647 from r where i < 60000)
insert into item select i, printf('name %05d', x % 20000), x % 1000, x / 7.0,
    zeroblob(x % 300) from r;
create index item_name on item (name, v);
create index item_v on item (v) where v < 300;
create table tag (item integer references item, tag text);
insert into tag select id, 'tag' || (v % 37) from item where id % 2;
insert into tag select id, 'mark' || (v % 11) from item where id % 3;
create index tag_item on tag (item);
select tag, count(*), sum(v), max(name), round(avg(w), 3) from item join tag on item = id
    group by tag order by 2 desc, 1 limit 12;
select v, group_concat(name, '+') from (select v, name from item where v < 5 order by id) group by v
    limit 3;
select * from (select id, v, row_number() over (partition by v order by w) n,
    sum(v) over (order by id rows 5 preceding) s from item) where n = 70 order by id limit 5;
begin;
update item set name = upper(name) || ' ' || id where v % 10 = 3;
delete from item where v % 10 = 7;
savepoint s;
delete from item where v < 900;
select count(*) from item;
rollback to s;
commit;
create virtual table f using fts5 (body);
insert into f select group_concat(name, ' ') from item group by id / 50;
select count(*) from f where f match '"name" and "00077" or "01*"';
select count(distinct name) from item a where exists
    (select 1 from item b where b.name = a.name and b.id <> a.id);
select json_group_array(json_object('id', id, 'v', v)) from (select * from item order by w limit 5);
create trigger tr after update on item begin insert into tag values (new.id, 'changed'); end;
update item set v = v + 1 where id between 1000 and 3000;
select count(*) from tag where tag = 'changed';
drop table f;
vacuum;
pragma integrity_check;
